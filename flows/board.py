"""The deadline board in Prefect: pages that keep their addresses, written anew by each pass."""

from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_UI_URL

from flows.board_page import overdue_rows, page
from flows.links import BOARD, OVERDUE, START, Links, compact, round_card
from models.board import Board

KEPT = (BOARD, OVERDUE, START)


def show_board(board: Board) -> None:
    """Write the board; only where Prefect runs the flow, since nobody would see it otherwise."""
    if FlowRunContext.get() is not None:
        with get_client(sync_client=True) as client:
            write_board(client, board)


def write_board(client: SyncPrefectClient, board: Board) -> Links:
    """The same; the number of Prefect calls does not depend on what is on the board.

    The first time makes the pages, one after another, so that each can link to the others.
    """
    codes = [one.code for one in board.rounds]
    links = find_links(client, codes)
    if not {BOARD, OVERDUE} <= links.artifacts.keys():
        for key, kind in ((BOARD, "markdown"), (OVERDUE, "table")):
            keep(client, links, key, kind, "[]", key)
        links = find_links(client, codes)
    title = f"期限看板（{board.at:%Y-%m-%d %H:%M}）"
    keep(client, links, BOARD, "markdown", page(board, links), title)
    rows = compact(overdue_rows(board))
    keep(client, links, OVERDUE, "table", rows, f"全部逾期事项（{board.at:%Y-%m-%d %H:%M}）")
    return links


def find_links(client: SyncPrefectClient, codes: Iterable[str] = ()) -> Links:
    """Where everything is on this server, the cards of those rounds included."""
    keys = [*KEPT, *map(round_card, codes)]
    shown = client.read_latest_artifacts(
        artifact_filter=ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=keys)),
        limit=len(keys),
    )
    return Links(
        ui=str(PREFECT_UI_URL.value()).rstrip("/"),
        deployments={one.name: str(one.id) for one in client.read_deployments()},
        artifacts={str(one.key): str(one.latest_id) for one in shown},
    )


def keep(
    client: SyncPrefectClient, links: Links, key: str, kind: str, data: str, description: str
) -> None:
    """Write the artifact of that key in place, so that its address stays; or make it."""
    number = links.artifacts.get(key)
    if number is None:
        client.create_artifact(
            ArtifactCreate(key=key, type=kind, data=data, description=description)
        )
    else:
        client.update_artifact(UUID(number), ArtifactUpdate(data=data, description=description))
