"""The files of a calibration: the posterior, the parameters with their intervals, and what there is to tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osteon.calibrate.run import Calibration
from osteon.calibrate.store import write_posterior
from osteon.calibrate.toml import parameter_toml
from osteon.ensemble.store import unwritable, write_json, write_whole
from osteon.parameters import Record

POSTERIOR, PARAMETERS, FINDINGS = "posterior.nc", "parameters.toml", "calibration.json"


def save(
    calibration: Calibration,
    folder: str | Path,
    records: Mapping[str, Record],
    findings: Mapping[str, Any],
    name: str = "turnover",
    pages: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Write the files of a calibration, each whole or not at all.

    Parameters
    ----------
    calibration : Calibration
        What was found.
    folder : str or Path
        Made if missing.
    records : mapping of str to Record
        Unit and meaning of every free parameter.
    findings : mapping
        Plain values, as `osteon.calibrate.findings.document` returns them.
    name : str
        Of what was calibrated.
    pages : mapping of str to str
        Text by file name, such as `osteon.report.calibration.pages` returns; none where left out.

    Returns
    -------
    dict of str to Path
        ``posterior.nc``, ``parameters.toml``, ``calibration.json`` and the pages.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    folder, joint = Path(folder), calibration.joint
    version, seed = calibration.manifest["packages"]["osteon"], calibration.manifest["seed"]
    source = f"osteon calibrate {name}, seed {seed}, best fit of structure {calibration.leading}"
    text = parameter_toml(
        joint.draws,
        calibration.best(calibration.leading),
        records,
        source=source,
        reference=f"osteon {version}, osteon calibrate {name}; intervals over {len(joint.draws)} posterior draws",
    )
    written = {one: folder / one for one in (POSTERIOR, PARAMETERS, FINDINGS, *(pages or ()))}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_posterior(
            written[POSTERIOR],
            joint.draws,
            log_probability=joint.log_probability,
            rows=joint.rows,
            predicted=joint.predicted,
            replicate=joint.replicate,
        )
        for file, content in {PARAMETERS: text, **(pages or {})}.items():
            write_whole(written[file], content)
        write_json(written[FINDINGS], dict(findings))
    except OSError as error:
        raise unwritable(folder, error) from error
    return written
