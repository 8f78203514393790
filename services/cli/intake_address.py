"""Where people find the pages."""

from services.settings import Settings, find_native_env


def intake_address(configured: Settings) -> str:
    """The public address; else where `up` said that the intake is: another port where its own was taken."""
    native = find_native_env()
    lines = [] if native is None else native.read_text("utf-8").splitlines()
    told = [line.removeprefix("INTAKE_URL=") for line in lines if line.startswith("INTAKE_URL=")]
    return configured.public_url or (told[-1] if told else f"http://127.0.0.1:{configured.intake_port}")
