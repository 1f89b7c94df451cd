"""How the commands speak to a person at a terminal."""

import pytest

from deployments.terminal import bar
from tasks.steps import steps


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
def test_long_work_shows_a_bar_to_whoever_looks_at_a_terminal(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    with bar():
        assert list(steps("制作文书", range(30))) == list(range(30))
    said = capsys.readouterr()
    assert said.out == ""
    assert ("制作文书" in said.err and "100%" in said.err) == terminal
