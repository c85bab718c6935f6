"""What methods need of a subject, and the reason where it is not there."""

from __future__ import annotations

from heedful.explanations.subject import Subject

POOLED = "no layer of the model attends: it pools once, and attention would work"
CROSSING = "it is defined for one stream, and this model attends across two: relevance would work"


def layers(subject: Subject) -> str | None:
    """Why there are no attention layers to look into; None where there are."""
    if subject.no_attention or subject.no_layers:
        return subject.no_attention or subject.no_layers
    passed = subject.looked().layers
    if not passed:
        return POOLED
    odd = next((look for look in passed if look.side == "self" and look.size != (len(subject.reading),) * 2), None)
    return None if odd is None else f"{odd.name} has {odd.size[0]} queries and {odd.size[1]} keys for {len(subject.reading)} places"


def one_stream(subject: Subject) -> str | None:
    """Why a method of one stream cannot serve; None where it can."""
    return layers(subject) or (CROSSING if any(look.side != "self" for look in subject.looked().layers) else None)
