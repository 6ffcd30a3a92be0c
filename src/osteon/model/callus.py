"""Callus: progenitors and vessels, soft callus, hard callus and its remodelling, in fractions of an envelope.

Granulation tissue grows while the fracture moves. Where it moves much, progenitors make cartilage, which swells,
calcifies and is removed by two routes: one led by vessels, which sets union, and one by osteoclasts, which follow
the vessels in. Vessels sprout after a lag, up to what the blood supply allows, and are torn by large strain. Where
it is still and has vessels, bone forms directly. Osteoclasts replace woven by lamellar bone, draw the callus back,
and close the cortical gap, at a pace of their own. Every flux between tissues is named once and used with both
signs, so volume is kept.
"""

from types import SimpleNamespace

from osteon.model.maths import hill, positive, smooth_min
from osteon.model.module import Input, Module, Signal, State

_FEW = 0.1  # usual size of a tissue fraction
_TINY = 1e-6  # keeps ratios of tissues finite before there is any tissue, and after it is gone

STATES = {
    "progenitors": State("1", "osteochondroprogenitors, relative", "initial_progenitors", signal="progenitors"),
    "angiogenesis": State(
        "1",
        "readiness of vessels around the fracture to sprout",
        "initial_angiogenesis",
        signal="angiogenic_readiness",
    ),
    "vessels": State("1", "vessels of the callus, 0 to 1", "initial_vessels", signal="vascularity"),
    "osteoblasts": State("1", "osteoblasts in the callus, relative", 0.0, _FEW, signal="osteoblasts"),
    "osteoclasts": State("1", "osteoclasts in the callus, relative", "initial_osteoclasts", _FEW, signal="osteoclasts"),
    "fibrous": State("1", "granulation and fibrous tissue", "initial_fibrous", _FEW, signal="fibrous"),
    "chondral": State("1", "proliferating cartilage", 0.0, _FEW, signal="proliferating_cartilage"),
    "hypertrophic": State("1", "hypertrophic cartilage", 0.0, _FEW, signal="hypertrophic_cartilage"),
    "calcified": State("1", "calcified cartilage", 0.0, _FEW, signal="calcified_matrix"),
    "cores": State("1", "cartilage cores left inside bone", 0.0, _FEW, signal="cartilage_cores"),
    "woven": State("1", "woven bone", 0.0, _FEW, signal="woven_bone"),
    "lamellar": State("1", "lamellar bone", 0.0, _FEW, signal="lamellar_bone"),
    "marrow": State("1", "marrow inside the callus", 0.0, _FEW, signal="marrow"),
    "cartilage_mineral": State("mg/mm^3", "mineral of calcified cartilage, per volume of the envelope", scale=_FEW),
    "bone_mineral": State("mg/mm^3", "mineral of bone, per volume of the envelope", scale=_FEW),
    "cortical_union": State("1", "closed share of the cortical gap", signal="cortical_union"),
}
INPUTS = {
    "inflammation": Input("1", "inflammatory signal in the callus", 0.0),
    "m2_macrophages": Input("1", "M2 macrophages, relative", 0.0),
    "mechanical_stimulus": Input("1", "octahedral shear strain over 0.0375"),
    "torsional_stiffness": Input("1", "torsional stiffness, fraction of intact bone"),
    "rank_occupancy": Input("1", "RANK signal to osteoclasts in the callus"),
    "osteoclast_activity": Input("1", "activity of one osteoclast in the callus"),
    "precursors": Input("1", "osteoclast precursors the skeleton supplies", 1.0),
    "callus_bisphosphonate_inhibition": Input("1", "share of osteoclast activity bisphosphonate stops here", 0.0),
    "pth": Input("1", "PTH(1-34) effect; 1 is 200 ug/kg/day in the rat", 0.0),
}
OUTPUTS = {
    "cartilage": Signal("1", "proliferating and hypertrophic cartilage"),
    "calcified_cartilage": Signal("1", "calcified cartilage with cores left in bone"),
    "mineralised_tissue": Signal("1", "calcified cartilage and bone"),
    "callus_tissue": Signal("1", "all tissue of the callus, fraction of the envelope"),
    "callus_mineral": Signal("mg/mm^3", "mineral per volume of the envelope"),
}


def signals(s, p, signal):
    """Sums of tissues and of mineral."""
    calcified = s.calcified + s.cores
    mineralised = calcified + s.woven + s.lamellar
    return {
        "cartilage": s.chondral + s.hypertrophic,
        "calcified_cartilage": calcified,
        "mineralised_tissue": mineralised,
        "callus_tissue": s.fibrous + s.chondral + s.hypertrophic + mineralised + s.marrow,
        "callus_mineral": s.cartilage_mineral + s.bone_mineral,
    }


def rates(s, p, signal):
    """Cells, tissues, mineral and the closing of the cortical gap."""
    m = _mechanobiology(s, p, signal)
    r = _fluxes(s, p, signal, m)
    return {**_cells(s, p, signal, m, r), **_tissues(s, p, signal, r), **_mineral(s, p, r)}


def _mechanobiology(s, p, signal):
    """What strain and inflammation allow: bone, cartilage, fibrous tissue, growth, differentiation."""
    stimulus = signal.mechanical_stimulus
    bone = s.vessels / (1 + (stimulus / p.stimulus_bone) ** 4)
    fibrous = hill(stimulus, p.stimulus_cartilage, 4)
    growth = hill(stimulus, p.stimulus_growth, 2)
    limit = smooth_min(p.envelope * (1 + p.pth_envelope * p.pth_shrinkage * signal.pth), p.envelope_limit, 1e-3)
    free = positive(limit - signal.callus_tissue, 1e-4)
    return SimpleNamespace(
        bone=bone,
        fibrous=fibrous,
        cartilage=(1 - bone) * (1 - fibrous),
        growth=growth,
        # Strain beyond what tissue stands tears vessels and cartilage.
        torn=p.tearing * hill((stimulus / p.tearing_stimulus) ** 2, 1.0, 4),
        free=free,
        room=hill(s.fibrous + growth * free, p.room_half),
        differentiation=p.differentiation_brake / (p.differentiation_brake + signal.inflammation),
    )


def _fluxes(s, p, signal, m):
    """Tissue fluxes, each named once [1/day]."""
    clasts = s.osteoclasts * signal.osteoclast_activity
    surface = hill(signal.mineralised_tissue, p.bone_half)
    by_vessels = p.mmp_removal * s.vessels * s.calcified
    # Osteoclasts reach calcified cartilage where vessels have opened it.
    opened = hill(p.mmp_removal * s.vessels, p.invasion_half)
    by_clasts = p.cartilage_resorption * clasts * opened * s.calcified
    to_cores = p.core_share * by_vessels
    converted = by_vessels - to_cores + by_clasts
    to_bone = p.bone_yield * converted * hill(s.osteoblasts, p.osteoblast_half)
    late = p.remodelling_pace * clasts
    from_woven = p.bone_resorption * late * s.woven
    from_cores = p.core_resorption * p.cartilage_resorption * late * s.cores
    from_lamellar = p.lamellar_resorption * p.bone_resorption * late * s.lamellar
    resorbed = from_woven + from_cores + from_lamellar
    refill = p.refill_before * (1 - s.cortical_union) + p.refill_after * s.cortical_union
    return SimpleNamespace(
        expansion=p.expansion * s.progenitors * m.differentiation * m.free * m.growth,
        chondrogenesis=p.cartilage_yield
        * p.chondrogenesis
        * m.differentiation
        * m.cartilage
        * s.progenitors
        * s.fibrous,
        cartilage_growth=p.cartilage_growth
        * s.chondral
        * m.free
        * (p.growth_at_rest + (1 - p.growth_at_rest) * m.growth),
        torn_early=m.torn * s.chondral,
        torn_late=m.torn * s.hypertrophic,
        hypertrophy=p.factor_hypertrophy * p.hypertrophy * s.chondral,
        calcification=p.factor_hypertrophy
        * p.calcification
        * s.hypertrophic
        * (p.calcification_floor + (1 - p.calcification_floor) * s.vessels),
        by_vessels=by_vessels,
        by_clasts=by_clasts,
        to_cores=to_cores,
        to_bone=to_bone,
        to_marrow=converted - to_bone,
        intramembranous=p.intramembranous * p.factor_osteoblasts * s.osteoblasts * m.bone * s.fibrous,
        apposition=p.apposition
        * p.factor_osteoblasts
        * (1 + p.pth_apposition * p.pth_shrinkage * signal.pth)
        * s.osteoblasts
        * s.marrow
        * surface,
        fibrous_to_marrow=p.fibrous_to_marrow * s.vessels * s.fibrous * surface,
        from_woven=from_woven,
        from_cores=from_cores,
        from_lamellar=from_lamellar,
        refilled=refill * resorbed,
        emptied=(1 - refill) * resorbed,
        retraction=p.retraction
        * late
        * (p.retraction_before_union + (1 - p.retraction_before_union) * s.cortical_union),
    )


def _cells(s, p, signal, m, r):
    """Progenitors, vessels, osteoblasts and osteoclasts."""
    inflamed = signal.inflammation
    proliferation = (1 + p.progenitor_boost * inflamed) / (1 + (inflamed / p.progenitor_inhibition) ** 2)
    entry = p.progenitor_entry * m.growth * (1 - s.progenitors)
    division = (
        p.progenitor_growth
        * (1 + p.pth_progenitors * p.pth_shrinkage * signal.pth)
        * proliferation
        * s.progenitors
        * (1 - s.progenitors)
        * m.room
    )
    to_osteoblasts = p.osteogenesis * m.differentiation * m.bone * s.progenitors
    to_chondrocytes = p.chondrogenesis * m.differentiation * m.cartilage * s.progenitors
    loss = p.fibrosis * m.fibrous + p.progenitor_death + p.crowding_loss * (1 - m.room)
    drive = p.vessel_basal + p.vessel_cartilage * (s.hypertrophic + s.calcified) + p.vessel_m2 * signal.m2_macrophages
    strained = 1 + (signal.mechanical_stimulus / p.vessel_strain) ** 4
    made = (
        p.osteoblast_yield * to_osteoblasts
        + p.osteoblast_from_cartilage * (r.by_vessels + r.by_clasts)
        + p.osteoblast_coupling * (r.from_woven + r.from_cores)
    )
    substrate = signal.calcified_cartilage + s.woven + p.lamellar_substrate * s.lamellar
    # A full pool in the skeleton reaches the callus only in part.
    supply = 1 + p.precursor_supply * (signal.precursors - 1)
    formed = p.osteoclast_formation * supply * signal.rank_occupancy * s.vessels * hill(substrate, p.substrate_half)
    starved = 1 + p.survival_loss * (1 - signal.rank_occupancy) ** 2
    poisoned = 1 + p.bisphosphonate_loss * signal.callus_bisphosphonate_inhibition
    return {
        "progenitors": p.factor_progenitors * (entry + division)
        - to_chondrocytes
        - to_osteoblasts
        - loss * s.progenitors,
        "angiogenesis": (1 - s.angiogenesis) / p.vessel_lag,
        "vessels": p.factor_vessels
        * p.vessel_growth
        * s.angiogenesis**2
        * drive
        * (s.vessels + p.vessel_seed)
        * (p.vessel_capacity - s.vessels)
        / strained
        - m.torn * s.vessels,
        "osteoblasts": p.factor_osteoblasts * (1 + p.pth_osteoblasts * p.pth_shrinkage * signal.pth) * made
        - p.osteoblast_death * s.osteoblasts,
        "osteoclasts": formed - p.osteoclast_death * starved * poisoned * s.osteoclasts,
    }


def _tissues(s, p, signal, r):
    """Volume fractions: every flux appears once as a gain and once as a loss, growth and retraction alone."""
    stiffness = signal.torsional_stiffness
    return {
        "fibrous": r.expansion
        + r.torn_early
        + r.torn_late
        - r.chondrogenesis
        - r.intramembranous
        - r.fibrous_to_marrow,
        "chondral": r.chondrogenesis + r.cartilage_growth - r.hypertrophy - r.torn_early,
        "hypertrophic": r.hypertrophy - r.calcification - r.torn_late,
        "calcified": r.calcification - r.by_vessels - r.by_clasts,
        "cores": r.to_cores - r.from_cores - r.retraction * s.cores,
        "woven": r.to_bone + r.intramembranous + r.apposition - r.from_woven - r.retraction * s.woven,
        "lamellar": r.refilled - r.from_lamellar - r.retraction * s.lamellar,
        "marrow": r.to_marrow + r.emptied + r.fibrous_to_marrow - r.apposition - r.retraction * s.marrow,
        "cortical_union": p.factor_union
        * p.remodelling_pace
        * p.cortical_union_rate
        * (s.osteoclasts * s.vessels + p.cortical_osteoclasts * signal.rank_occupancy)
        * signal.osteoclast_activity
        * (1 - s.cortical_union)
        * hill(stiffness, p.union_stiffness),
    }


def _mineral(s, p, r):
    """Mineral laid down with new tissue, taken up later, and lost with the tissue that holds it."""
    cartilage, bone = s.calcified + s.cores, s.woven + s.lamellar
    cartilage_lost = r.by_vessels - r.to_cores + r.by_clasts + r.from_cores + r.retraction * s.cores
    bone_lost = r.from_woven + r.from_lamellar + r.retraction * bone
    return {
        "cartilage_mineral": p.mineral_cartilage_initial * r.calcification
        + (p.mineral_cartilage * cartilage - s.cartilage_mineral) / p.mineral_cartilage_time
        - s.cartilage_mineral * cartilage_lost / positive(cartilage, _TINY),
        "bone_mineral": p.mineral_bone_initial * (r.to_bone + r.intramembranous + r.apposition + r.refilled)
        + p.remodelling_pace
        * (p.mineral_woven * s.woven + p.mineral_lamellar * s.lamellar - s.bone_mineral)
        / p.mineral_bone_time
        - s.bone_mineral * bone_lost / positive(bone, _TINY),
    }


MODULE = Module(
    name="callus",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("callus",),
    clock="healing.clock",
    reference="osteon callus prototype (19 states), members J and B",
    limits="Lumped: bridging is smooth in mean density; a second compartment for the gap is an option.",
)
