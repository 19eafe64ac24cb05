"""The peer: the least that Textual draws, a text that changes when a key is pressed."""

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static


class EmptyApp(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        yield Static("x" * 400)

    def on_key(self, event: Key) -> None:
        self.query_one(Static).update(("x" if event.key == "down" else "y") * 400)


if __name__ == "__main__":
    EmptyApp().run()
