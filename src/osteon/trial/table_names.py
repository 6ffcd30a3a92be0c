"""Names and labels of the columns and parameters of the CDISC tables: at most 8 and 40 characters."""

from __future__ import annotations

#: Name and label of each trait.
TRAITS = {
    "age": ("AGE", "Age (years)"),
    "sex": ("SEX", "Sex"),
    "weight": ("WEIGHTBL", "Body weight at baseline (kg)"),
    "diabetes": ("DIABETES", "Diabetes"),
    "osteoporosis": ("OSTEOPFL", "Osteoporosis"),
    "smoking": ("SMOKEFL", "Smoking"),
    "obesity": ("OBESEFL", "Obesity"),
    "nsaid": ("NSAIDFL", "Anti-inflammatory drugs"),
    "gfr": ("GFRBL", "Kidney function at baseline (mL/min)"),
    "vitamin_d": ("VITDBL", "Vitamin D at baseline (nmol/L)"),
    "open": ("OPENFL", "Open fracture"),
    "displaced": ("DISPLFL", "Displaced fracture"),
}
#: Label of every other column.
LABELS = {
    "STUDYID": "Study identifier",
    "USUBJID": "Unique subject identifier",
    "SUBJID": "Subject identifier for the study",
    "ARM": "Description of planned arm",
    "TRT01P": "Planned treatment",
    "TRT01PN": "Planned treatment (N)",
    "ITTFL": "Intent-to-treat population flag",
    "RANDDT": "Day of randomisation, from the first",
    "EOSDT": "Day of end of study, from the first",
    "EOSDY": "Day of end of study, from the fracture",
    "EOSSTT": "End of study status",
    "DCSREAS": "Reason for discontinuation from study",
    "DTHFL": "Subject death flag",
    "DTHDY": "Day of death, from the fracture",
    "PARAMCD": "Parameter code",
    "PARAM": "Parameter",
    "AVAL": "Analysis value",
    "CNSR": "Censor: 0 event, 1 censored, 2 death",
    "STARTDT": "Time to event origin, from the first day",
    "ADT": "Analysis day, from the first enrolment",
    "ADY": "Analysis day, from the fracture",
    "EVNTDESC": "Event or censoring description",
    "AINTLO": "Last visit without the event (day)",
    "AINTHI": "First visit with the event (day)",
    "AVISIT": "Analysis visit",
    "AVISITN": "Planned day of the visit",
}
#: Code and title of each value recorded at visits.
PARAMETERS = {
    "RUST": ("RUST", "RUST (4 to 12)"),
    "mRUST": ("MRUST", "Modified RUST (4 to 16)"),
    "cortices_bridged": ("CORTBRDG", "Bridged cortices (0 to 4)"),
    "pain": ("PAIN", "Pain (0 to 10)"),
    "torsional_stiffness": ("TORSTIFF", "Torsional stiffness (share of intact)"),
    "CTX": ("CTX", "CTX (% change)"),
    "P1NP": ("P1NP", "P1NP (% change)"),
    "serum_calcium": ("CALCIUM", "Serum calcium (mmol/L)"),
    "BMD_lumbar_spine": ("BMDLS", "BMD of the lumbar spine (% change)"),
    "BMD_total_hip": ("BMDTH", "BMD of the total hip (% change)"),
    "BMD_femoral_neck": ("BMDFN", "BMD of the femoral neck (% change)"),
}
_OF_TRAITS = dict(TRAITS.values())


def label_of(name: str) -> str:
    """Label of a column, its name if it has none."""
    return LABELS.get(name) or _OF_TRAITS.get(name, name)
