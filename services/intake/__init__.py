"""The door: an HTTP service that takes case events, checks them and puts them into Kafka."""

from services.intake.app import create_app

__all__ = ["create_app"]
