"""What soils and substrates hold: field capacity, plant-available capacity and air capacity, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

EDITION: Final = "KA5 (2005), table 70, dry bulk density 1.5 g/cm3, humus below 1 %"
"""Where the natural textures come from; KA6 (2024) has not been compared."""

TREE_PIT_SUBSTRATE: Final = "tree_pit_substrate"
EXTENSIVE_ROOF: Final = "extensive_roof_substrate"
EXTENSIVE_ROOF_SINGLE_LAYER: Final = "extensive_roof_single_layer"
INTENSIVE_ROOF: Final = "intensive_roof_substrate"
TECHNOGENIC: Final = "technogenic"
"""Brick, slag, mining waste, rubble: also what to assume where nobody knows."""

_NATURAL_UNCERTAINTY: Final = 0.25
_SUBSTRATE_UNCERTAINTY: Final = 0.3
_TECHNOGENIC_UNCERTAINTY: Final = 0.5
_WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Texture:
    """What a soil or substrate holds, from one table.

    Parameters
    ----------
    name : str
        KA5 symbol such as ``"Sl3"``, or the name of a substrate.
    german, english : str
        What people read.
    field_capacity : float
        Volumetric water content at pF 1.8; of roof substrates the maximum water capacity by FLL [%].
    available_capacity : float
        Plant-available water capacity (nFK); of roof substrates all they hold, as roofs are planned with [%].
    air_capacity : float
        Pores that are empty at field capacity [%].
    uncertainty : float
        Standard deviation of the available capacity as a share of it [-].
    source : str
    """

    name: str
    german: str
    english: str
    field_capacity: float
    available_capacity: float
    air_capacity: float
    uncertainty: float
    source: str

    @property
    def wilting_point(self) -> float:
        """Volumetric water content at which plants wilt, from the same table [%]."""
        return self.field_capacity - self.available_capacity

    @property
    def available_deviation(self) -> float:
        """Standard deviation of the available capacity [%]."""
        return self.uncertainty * self.available_capacity

    def with_stones(self, stones: float) -> Texture:
        """Return what is left where stones, which hold nothing, take a share of the volume.

        Parameters
        ----------
        stones : float
            Share of the volume, from 0 to below 100 [%].

        Returns
        -------
        Texture
            Every capacity times (1 - stones / 100).

        Raises
        ------
        ValueError
            If the share is outside its range.

        References
        ----------
        Geologischer Dienst NRW, soil map BK50, method of the plant-available capacity.

        Examples
        --------
        >>> TEXTURES["Sl3"].with_stones(20).available_capacity
        10.4
        """
        if not 0 <= stones < _WHOLE:
            message = f"stones: a share from 0 to below 100 %, not {stones}"
            raise ValueError(message)
        fine = 1 - stones / _WHOLE
        return replace(
            self,
            field_capacity=self.field_capacity * fine,
            available_capacity=self.available_capacity * fine,
            air_capacity=self.air_capacity * fine,
        )


_DEGREES: Final = {"2": ("schwach ", "slightly "), "3": ("mittel ", "medium "), "4": ("stark ", "strongly ")}
_GROUPS: Final = {
    "Sl": ("lehmiger Sand", "loamy sand"),
    "St": ("toniger Sand", "clayey sand"),
    "Su": ("schluffiger Sand", "silty sand"),
    "Ls": ("sandiger Lehm", "sandy loam"),
    "Lt": ("toniger Lehm", "clayey loam"),
    "Ut": ("toniger Schluff", "clayey silt"),
    "Tu": ("schluffiger Ton", "silty clay"),
    "Ts": ("sandiger Ton", "sandy clay"),
}
_NAMED: Final = {
    "Ss": ("reiner Sand", "pure sand"),
    "fS": ("Feinsand", "fine sand"),
    "mS": ("Mittelsand", "medium sand"),
    "gS": ("Grobsand", "coarse sand"),
    "Slu": ("schluffig-lehmiger Sand", "silty-loamy sand"),
    "Lts": ("sandig-toniger Lehm", "sandy-clayey loam"),
    "Lu": ("schluffiger Lehm", "silty loam"),
    "Uu": ("reiner Schluff", "pure silt"),
    "Us": ("sandiger Schluff", "sandy silt"),
    "Uls": ("sandig-lehmiger Schluff", "sandy-loamy silt"),
    "Tl": ("lehmiger Ton", "loamy clay"),
    "Tt": ("reiner Ton", "pure clay"),
}
_KA5: Final = {
    "Ss": (12, 9, 31),
    "fS": (15, 11, 28),
    "mS": (12, 9, 31),
    "gS": (8, 5, 35),
    "Sl2": (21, 13, 22),
    "Sl3": (23, 13, 20),
    "Sl4": (25, 12, 18),
    "Slu": (27, 15, 16),
    "St2": (18, 10, 25),
    "St3": (26, 12, 17),
    "Su2": (20, 15, 23),
    "Su3": (24, 17, 19),
    "Su4": (25, 18, 18),
    "Ls2": (30, 14, 13),
    "Ls3": (28, 12, 15),
    "Ls4": (27, 12, 16),
    "Lt2": (30, 10, 13),
    "Lt3": (33, 9, 10),
    "Lts": (32, 11, 11),
    "Lu": (32, 13, 11),
    "Us": (29, 19, 14),
    "Uu": (32, 21, 11),
    "Uls": (29, 18, 14),
    "Ut2": (29, 18, 14),
    "Ut3": (31, 17, 12),
    "Ut4": (33, 16, 12),
    "Tu2": (39, 9, 4),
    "Tu3": (36, 12, 7),
    "Tu4": (33, 13, 9),
    "Tl": (39, 8, 4),
    "Tt": (41, 7, 3),
}
"""Field capacity, available capacity, air capacity [%]."""

_FLL_ROOF: Final = "FLL green roof guideline (2018), least maximum water capacity, all of which counts as storage"


def _ka5_names(symbol: str) -> tuple[str, str]:
    """Return the German and the English name of a KA5 texture symbol.

    >>> _ka5_names("Sl3")
    ('mittel lehmiger Sand', 'medium loamy sand')
    """
    if symbol in _NAMED:
        return _NAMED[symbol]
    (german, english), (degree, its_english) = _GROUPS[symbol[:2]], _DEGREES[symbol[2]]
    return degree + german, its_english + english


def _natural(symbol: str, capacities: tuple[int, int, int]) -> Texture:
    return Texture(symbol, *_ka5_names(symbol), *capacities, _NATURAL_UNCERTAINTY, EDITION)


_SUBSTRATES: Final = (
    Texture(
        TREE_PIT_SUBSTRATE,
        "Baumgrubensubstrat",
        "tree pit substrate",
        22,
        14,
        15,
        _SUBSTRATE_UNCERTAINTY,
        "Design assumption after FLL, Empfehlungen für Baumpflanzungen: field capacity 22 %, wilting point 8 %",
    ),
    Texture(
        EXTENSIVE_ROOF,
        "Dachsubstrat, extensiv",
        "extensive roof substrate",
        35,
        35,
        10,
        _SUBSTRATE_UNCERTAINTY,
        f"{_FLL_ROOF}; multi-layer",
    ),
    Texture(
        EXTENSIVE_ROOF_SINGLE_LAYER,
        "Dachsubstrat, extensiv einschichtig",
        "single-layer extensive roof substrate",
        20,
        20,
        20,
        _SUBSTRATE_UNCERTAINTY,
        f"{_FLL_ROOF}; single-layer",
    ),
    Texture(
        INTENSIVE_ROOF,
        "Dachsubstrat, intensiv",
        "intensive roof substrate",
        45,
        45,
        10,
        _SUBSTRATE_UNCERTAINTY,
        _FLL_ROOF,
    ),
    Texture(
        TECHNOGENIC,
        "technogen oder unbekannt",
        "technogenic or unknown",
        22,
        12,
        18,
        _TECHNOGENIC_UNCERTAINTY,
        "Our assumption: the middle of what KA5 gives for sands and loams, with half of it as standard deviation",
    ),
)

TEXTURES: Final[Mapping[str, Texture]] = MappingProxyType(
    {symbol: _natural(symbol, capacities) for symbol, capacities in _KA5.items()}
    | {texture.name: texture for texture in _SUBSTRATES}
)
"""Every soil and substrate with a table of capacities, by name.

The uncertainty of a natural texture is the difference between this table and the curves of Wessolek
et al. (2009), 35 % at the median, over the square root of two; those of substrates and of
technogenic soil are assumptions.
"""

_MIDDLE: Final = {
    "sl": "Sl3",
    "st": "St2",
    "su": "Su3",
    "ls": "Ls3",
    "lt": "Lt2",
    "ut": "Ut3",
    "tu": "Tu3",
    "ts": "Ts3",
}
_OTHER_WORDS: Final = {
    "sand": "Ss",
    "schluff": "Uu",
    "silt": "Uu",
    "ton": "Tt",
    "clay": "Tt",
    "lehm": "Ls3",
    "loam": "Ls3",
    "baumsubstrat": TREE_PIT_SUBSTRATE,
    "treesubstrate": TREE_PIT_SUBSTRATE,
    "fllbaumsubstrat": TREE_PIT_SUBSTRATE,
    "extensiv": EXTENSIVE_ROOF,
    "extensive": EXTENSIVE_ROOF,
    "extensivsubstrat": EXTENSIVE_ROOF,
    "intensiv": INTENSIVE_ROOF,
    "intensive": INTENSIVE_ROOF,
    "intensivsubstrat": INTENSIVE_ROOF,
    "technogen": TECHNOGENIC,
    "unbekannt": TECHNOGENIC,
    "unknown": TECHNOGENIC,
    "bauschutt": TECHNOGENIC,
    "rubble": TECHNOGENIC,
    "schlacke": TECHNOGENIC,
    "slag": TECHNOGENIC,
    "bergematerial": TECHNOGENIC,
    "miningwaste": TECHNOGENIC,
}


def _plain(text: str) -> str:
    return re.sub(r"[^a-zäöüß0-9]", "", text.casefold())


_BY_WORD: Final = (
    {_plain(word): name for word, name in _OTHER_WORDS.items()}
    | {_plain(words[which]): _MIDDLE[group.lower()] for group, words in _GROUPS.items() for which in (0, 1)}
    | _MIDDLE
    | {_plain(word): symbol for symbol in (*_KA5, "Ts2", "Ts3", "Ts4") for word in (symbol, *_ka5_names(symbol))}
    | {
        _plain(word): texture.name
        for texture in _SUBSTRATES
        for word in (texture.name, texture.german, texture.english)
    }
)


def texture_name(text: str | None) -> str | None:
    """Return the symbol or substrate name people mean; None where it is not one.

    A group without its degree, such as ``"Sl"`` or ``"lehmiger Sand"``, is its middle class.

    >>> texture_name("Mittel lehmiger Sand"), texture_name("SL 3"), texture_name("sandy loam"), texture_name("Moos")
    ('Sl3', 'Sl3', 'Ls3', None)
    """
    return _BY_WORD.get(_plain(text or ""))


def texture(text: str | None) -> Texture | None:
    """Return what is known of the soil people mean.

    Parameters
    ----------
    text : str or None
        A KA5 symbol, a substrate or one of their spellings [-], as `texture_name` reads it.

    Returns
    -------
    Texture or None
        Its capacities [% by volume]; None where the table does not have it.

    Notes
    -----
    Valid for mineral soil with a dry bulk density of 1.5 g/cm3 and humus below 1 %, and for substrates as laid.

    References
    ----------
    The table of `TEXTURES` and its sources. No equation.

    Examples
    --------
    >>> texture("baumsubstrat").field_capacity, texture("Feinsand").available_capacity, texture("")
    (22, 11, None)
    """
    name = texture_name(text)
    return None if name is None else TEXTURES.get(name)
