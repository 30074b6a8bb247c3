"""What no single key of planner.toml can tell: settings that do not fit together."""

from __future__ import annotations

from inputs.findings import Findings, nearest
from inputs.settings import Settings
from inputs.settings_operations import is_public
from inputs.toml_lines import line_of


def refuse_unsupported(settings: Settings, text: str, findings: Findings) -> None:
    """Keys that the schema knows and no planner heeds yet."""
    asked: list[tuple[tuple[str | int, ...], str]] = [
        (("regions", region.name, "battery"), "batteries")
        for region in settings.regions
        if region.battery is not None
    ]
    asked += [(("budgets", i), "budgets") for i in range(len(settings.budgets))]
    for path, what in asked:
        findings.add(
            line=line_of(text, path),
            field=".".join(str(part) for part in path),
            found="a table",
            expected="none",
            hint=f"{what} are not supported yet",
        )


def refuse_unknown_regions(settings: Settings, text: str, findings: Findings) -> None:
    """A back end's settings for a region that there is not would never be used."""
    names = [region.name for region in settings.regions]
    for backend, table in settings.executor.backends.items():
        overrides = table.get("regions")
        for name in overrides if isinstance(overrides, dict) else ():
            if name not in names:
                path = ("executor", backend, "regions", name)
                findings.add(
                    line=line_of(text, path),
                    field=".".join(path),
                    found="an unknown region",
                    expected="a region of the workspace",
                    hint=nearest(name, names),
                )


def refuse_unfit_operations(settings: Settings, text: str, findings: Findings) -> None:
    """Alerts that could not be sent, and figures that would be open to the world."""
    for i, alert in enumerate(settings.alerts):
        for key, found, expected in alert.faults():
            findings.add(
                line=line_of(text, ("alerts", i, key)),
                field=f"alerts.{i}.{key}",
                found=found,
                expected=expected,
            )
    endpoint = settings.metrics.endpoint
    if endpoint and is_public(endpoint[0]) and not settings.metrics.allow_public:
        findings.add(
            line=line_of(text, ("metrics", "listen")),
            field="metrics.listen",
            found=f"{endpoint[0]}, which other machines can reach without credentials",
            expected="an address of this machine alone, such as 127.0.0.1",
            hint="set allow_public = true if that is meant",
        )
