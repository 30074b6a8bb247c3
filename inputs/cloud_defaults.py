"""What a workspace takes from the table of cloud regions."""

from __future__ import annotations

from inputs.cloud_regions import is_cloud_region
from inputs.findings import Findings, nearest
from inputs.settings import Region, Settings, known_cloud_regions
from inputs.toml_lines import line_of

ORIGIN = "cloud region"
"""How the origin of a value that the table gave begins."""


def refuse_unknown_clouds(settings: Settings, text: str, findings: Findings) -> None:
    """Take in every ``zone`` such as ``aws:eu-nrth-1`` that nobody knows."""
    known = known_cloud_regions(settings)
    for region in settings.regions:
        zone = region.zone or ""
        if is_cloud_region(zone) and zone not in known:
            findings.add(
                line=line_of(text, ("regions", region.name, "zone")),
                field=f"regions.{region.name}.zone",
                found=f'"{zone}"',
                expected="a cloud region of the table or of [cloud_regions]",
                hint=nearest(zone, known),
            )


def with_cloud_pue(settings: Settings, origins: dict[str, str]) -> Settings:
    """Settings in which a region without ``pue`` has that of its cloud region.

    Parameters
    ----------
    settings
        As given.
    origins
        Takes in where the value came from.
    """
    known = known_cloud_regions(settings)
    regions = []
    for region in settings.regions:
        cloud = known.get(region.zone or "")
        if cloud is not None and cloud.pue is not None and not _says_pue(region):
            region = region.model_copy(update={"pue": cloud.pue})
            source = f"{ORIGIN} {cloud.name}, {cloud.pue_from}"
            origins[f"regions.{region.name}.pue"] = source
        regions.append(region)
    return settings.model_copy(update={"regions": tuple(regions)})


def pue_notes(settings: Settings, origins: dict[str, str]) -> tuple[str, ...]:
    """Sentences on each PUE that a cloud region's row gave, or could not give."""
    known = known_cloud_regions(settings)
    notes = []
    for region in settings.regions:
        origin = origins.get(f"regions.{region.name}.pue", "")
        if origin.startswith(ORIGIN):
            source = origin.removeprefix(f"{ORIGIN} ")
            notes.append(f"region {region.name}: PUE {region.pue:g} of {source}")
        elif not origin and region.zone in known and not _says_pue(region):
            notes.append(
                f"region {region.name}: no PUE is published for {region.zone}, so "
                f"{region.pue:g} is used; set pue"
            )
    return tuple(notes)


def _says_pue(region: Region) -> bool:
    return "pue" in region.model_fields_set
