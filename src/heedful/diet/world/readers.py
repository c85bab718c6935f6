"""Simulated readers: what they are interested in, and how what they read changes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.world.parameters import Parameters


@dataclass(eq=False)
class Readers:
    """What no policy sees of r readers, and what their own reading has made of them.

    Arguments:
        home: (r, t) the interests that theirs keep coming back to.
        away: (r, t) how far from home interests are now.
        view: (r, v) liking of viewpoints.
        curiosity, lured: (r,) how much a new topic is worth to them, and how much a lure makes them open.
        recent: (r, t) minutes on each topic, lately.
        known: (r, t) items read of each topic, lately: what is known is no longer new.
        mood: (r,) worth a minute of the last days, as they remember it.
    """

    home: Float[np.ndarray, "r t"]
    away: Float[np.ndarray, "r t"]
    view: Float[np.ndarray, "r v"]
    curiosity: Float[np.ndarray, " r"]
    lured: Float[np.ndarray, " r"]
    recent: Float[np.ndarray, "r t"]
    known: Float[np.ndarray, "r t"]
    mood: Float[np.ndarray, " r"]

    @classmethod
    def drawn(cls, p: Parameters, normals: Float[np.ndarray, "r k"]) -> Readers:
        """Readers from 2 t + v + 2 normal numbers each."""
        t, r = p.topics, len(normals)
        home, away, view = normals[:, :t] * p.interest, normals[:, t : 2 * t] * p.drift, normals[:, 2 * t : 2 * t + p.views] * p.view
        nothing = np.zeros((r, t))
        # half-normal numbers of mean 1 have spread sqrt(pi / 2)
        return cls(
            home=home,
            away=away,
            view=view,
            curiosity=p.curiosity * np.abs(normals[:, -2]) * np.sqrt(np.pi / 2),
            lured=np.abs(normals[:, -1]) * np.sqrt(np.pi / 2),
            recent=nothing,
            known=nothing.copy(),
            mood=np.zeros(r),
        )

    @staticmethod
    def numbers(p: Parameters) -> int:
        """How many normal numbers a reader is made of."""
        return 2 * p.topics + p.views + 2

    @property
    def interest(self) -> Float[np.ndarray, "r t"]:
        """In each topic, now."""
        found: Float[np.ndarray, "r t"] = self.home + self.away
        return found

    def night(self, p: Parameters, normals: Float[np.ndarray, "r t"]) -> None:
        """A day passes: interests drift (an Ornstein-Uhlenbeck step), what was read is a day older."""
        stays = 0.5 ** (1 / p.drift_days)
        self.away = stays * self.away + np.sqrt(1 - stays**2) * p.drift * normals
        self.recent = self.recent * 0.5 ** (1 / p.satiation_days)
        self.known = self.known * 0.5 ** (1 / p.curious_days)
