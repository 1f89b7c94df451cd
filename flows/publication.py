"""The form by which a department says that its results are entered and public."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.publication import PublicationEntry
from tasks import publication

save_publications = stage("登记公示", publication.confirm_publications)


@form("登记公示")
def confirm_publication(entries: list[PublicationEntry], as_of: date | None = None) -> State[Any]:
    """登记本部门检查结果的录入日期和公示日期；只录入未公示的，期限仍未完成。

    Args:
        entries: 各份公示
        as_of: 登记日期，空为今天
    """
    return entered(save_publications(entries, moment(as_of)))
