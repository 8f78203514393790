"""A Grafana server through grafana-client, its errors said in the one tree of streams/domain/errors.py."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException, GrafanaTimeoutError

from services.grafana.wanted import Annotation, RuleGroup
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction

_SECONDS = 15.0


class Server:
    """What is read from and written to Grafana. Every method raises as `translated` says."""

    def __init__(self, url: str, token: str) -> None:
        """
        Args:
            url: Of Grafana.
            token: Of a service account with the role Admin in its organisation.
        """
        self._url = url
        self._api = GrafanaApi.from_url(url, credential=token, timeout=_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self._api.client.s.close()

    def folder(self, uid: str) -> Mapping[str, Any] | None:
        """A folder; None: there is none."""
        with self._translated(f"folder {uid}"):
            return _found(lambda: self._api.folder.get_folder(uid))

    def save_folder(self, uid: str, title: str, *, is_new: bool) -> None:
        """Create a folder or give it another title."""
        with self._translated(f"folder {uid}"):
            if is_new:
                self._api.folder.create_folder(title, uid=uid)
            else:
                self._api.folder.update_folder(uid, title=title, overwrite=True)

    def datasource(self, uid: str) -> Mapping[str, Any] | None:
        """The data source; None: there is none."""
        with self._translated(f"data source {uid}"):
            return _found(lambda: self._api.datasource.get_datasource_by_uid(uid))

    def save_datasource(self, document: Mapping[str, Any], *, is_new: bool) -> None:
        """Create or replace the data source."""
        with self._translated(f"data source {document['uid']}"):
            if is_new:
                self._api.datasource.create_datasource(dict(document))
            else:
                self._api.datasource.update_datasource_by_uid(document["uid"], dict(document))

    def board(self, uid: str) -> Mapping[str, Any] | None:
        """A board with its `meta`; None: there is none."""
        with self._translated(f"board {uid}"):
            return _found(lambda: self._api.dashboard.get_dashboard(uid))

    def save_board(self, folder_uid: str, board: Mapping[str, Any]) -> None:
        """Create or replace a board."""
        with self._translated(f"board {board['uid']}"):
            self._api.dashboard.update_dashboard(
                {
                    "dashboard": {**board, "id": None},
                    "folderUid": folder_uid,
                    "overwrite": True,
                    "message": "canhdich dashboards push",
                }
            )

    def rule_group(self, group: RuleGroup) -> Mapping[str, Any] | None:
        """A group of alert rules; None: there is none."""
        with self._translated(f"rule group {group.name}"):
            return _found(lambda: self._api.alertingprovisioning.get_rule_group(group.folder_uid, group.name))

    def save_rule_group(self, group: RuleGroup) -> None:
        """Create or replace a group: rules that are not in it any more are gone."""
        with self._translated(f"rule group {group.name}"):
            self._api.alertingprovisioning.update_rule_group(
                group.folder_uid, group.name, dict(group.document)
            )

    def annotations(self, board_uid: str) -> list[Mapping[str, Any]]:
        """The project's own marks on a board."""
        with self._translated(f"annotations of {board_uid}"):
            found: list[Mapping[str, Any]] = self._api.annotations.find_annotations(
                dashboard_uid=board_uid, tags=["canhdich"], limit=1_000
            )
            return found

    def save_annotation(self, mark: Annotation, number: int | None) -> None:
        """Add a mark, or replace the one with this number."""
        with self._translated(f"annotation of {mark.board_uid}"):
            # Not by the client's own method: it sends the ids that a mark does not have as null.
            document = {"time": mark.time, "tags": list(mark.tags), "text": mark.text}
            if number is None:
                self._api.client.POST("/annotations", json={**document, "dashboardUID": mark.board_uid})
            else:
                self._api.client.PUT(f"/annotations/{number}", json=document)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Say Grafana's errors in our own.

        Raises:
            DependencyDown: Grafana does not answer, or fails itself.
            ConfigurationError: it does not know the token, or the token may not do this.
            RefusedAction: it refuses what was sent; says what and why.
        """
        try:
            yield
        except GrafanaTimeoutError as error:
            raise DependencyDown(f"Grafana at {self._url} does not answer: {error.message}") from error
        except GrafanaException as error:
            if error.status_code == 401:
                raise ConfigurationError(
                    f"Grafana at {self._url} does not know the token: set CANHDICH_GRAFANA_TOKEN to that of "
                    "a service account with the role Admin."
                ) from error
            if error.status_code == 403:
                raise ConfigurationError(
                    f"Grafana does not allow this token to change {what}: give its service account the role "
                    "Admin; what is provisioned from files can be changed in the files only."
                ) from error
            if 400 <= error.status_code < 500:
                raise RefusedAction(f"Grafana refuses {what}: {_reason(error)}") from error
            raise DependencyDown(f"Grafana fails over {what}: {error.message}") from error
        except niquests.exceptions.RequestException as error:
            raise DependencyDown(f"Grafana at {self._url} does not answer: {error}") from error


def _found(read: Any) -> Mapping[str, Any] | None:
    try:
        answer: Mapping[str, Any] = read()
    except GrafanaException as error:
        if error.status_code == 404:
            return None
        raise
    return answer


def _reason(error: GrafanaException) -> str:
    answer = error.response
    return str(answer.get("message", answer)) if isinstance(answer, dict) else str(error.message)
