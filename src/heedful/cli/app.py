"""The table of commands; each one's module is light, and imports torch only inside its function."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App

from heedful.cli.adapt import adapt
from heedful.cli.apply import apply
from heedful.cli.bench import bench
from heedful.cli.compress import compress
from heedful.cli.demo import demo
from heedful.cli.diet.group import group as diet_group
from heedful.cli.evaluate import evaluate
from heedful.cli.explain import explain
from heedful.cli.frontier import frontier
from heedful.cli.index import group as index_group
from heedful.cli.look import look
from heedful.cli.mechanisms import mechanisms
from heedful.cli.options import DEFAULTS
from heedful.cli.plan import plan
from heedful.cli.predict import predict
from heedful.cli.profile import profile
from heedful.cli.serve import serve
from heedful.cli.train import train
from heedful.cli.tune import tune
from heedful.cli.verify import verify
from heedful.version import __version__

HELP = "Spend attention within a budget, and show where it went."
COMMANDS: tuple[Callable[..., None], ...] = (
    demo,
    train,
    evaluate,
    predict,
    explain,
    look,
    mechanisms,
    profile,
    plan,
    apply,
    verify,
    frontier,
    bench,
    compress,
    adapt,
    tune,
    serve,
)


def build() -> App:
    """The command line, ready to be called with a list of words."""
    app = App(
        name="heedful",
        help=HELP,
        help_format="plaintext",
        default_parameter=DEFAULTS,
        version=__version__,
        version_flags=["--version"],
        exit_on_error=False,
        print_error=False,
        verbose=False,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for order, command in enumerate(COMMANDS):
        app.command(command, sort_key=order)
    app.command(index_group())
    app.command(diet_group())
    return app
