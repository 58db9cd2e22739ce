"""The profiles that come with Grünpuls, and those a city adds beside them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from device_profiles.profile import Profile
from gruenpuls.domain.errors import ConfigurationError, InputError

_SHIPPED: Final = Path(__file__).parent / "catalogue"


class Catalogue:
    """Profiles by name.

    Parameters
    ----------
    profiles : mapping of str to Profile
    """

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._profiles = dict(sorted(profiles.items()))

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles.values())

    def __len__(self) -> int:
        return len(self._profiles)

    def __contains__(self, name: object) -> bool:
        return name in self._profiles

    @classmethod
    def shipped(cls) -> Catalogue:
        """Return the profiles that come with Grünpuls."""
        return cls.read(_SHIPPED)

    @classmethod
    def read(cls, directory: Path) -> Catalogue:
        """Return the profiles in a directory and below.

        Raises
        ------
        InputError
            If a file is no valid profile, or two have the same name.
        ConfigurationError
            If the directory cannot be read.
        """
        if not directory.is_dir():
            message = "the directory of device profiles does not exist"
            raise ConfigurationError(message, where=str(directory))
        profiles: dict[str, Profile] = {}
        places: dict[str, Path] = {}
        for path in sorted(directory.rglob("*.yaml")):
            profile = profile_in(path)
            if profile.name in profiles:
                message = f"the profile {profile.name!r} stands twice"
                raise InputError(
                    message,
                    where=f"{path} and {places[profile.name]}",
                    remedy="give one of them another name",
                )
            profiles[profile.name], places[profile.name] = profile, path
        return cls(profiles)

    def merged(self, other: Catalogue) -> Catalogue:
        """Return both; where a name is in both, the other's profile counts."""
        return Catalogue({**self._profiles, **other._profiles})

    def profile(self, name: str) -> Profile:
        """Return a profile.

        Raises
        ------
        InputError
            If there is none of this name; names near ones.
        """
        try:
            return self._profiles[name]
        except KeyError:
            near = difflib.get_close_matches(name.lower(), self._profiles, n=3, cutoff=0.5)
            near = near or [known for known in self._profiles if name.lower() in known][:3]
            message = f"there is no device profile {name!r}"
            raise InputError(
                message,
                remedy=f"did you mean {', '.join(near)}?" if near else "gruenpuls profile list shows all",
            ) from None


def profile_in(path: Path) -> Profile:
    """Return the profile in a file, with the JavaScript codec that lies beside it if it names one.

    Raises
    ------
    InputError
        If it cannot be read or is no valid profile.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the profile cannot be read: {error}"
        raise InputError(message, where=str(path)) from error
    return Profile.parse(text, str(path), lambda name: _script(path, name))


def _script(path: Path, name: str) -> str:
    try:
        return (path.parent / name).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"its codec {name} cannot be read: {error}"
        raise InputError(message, where=str(path)) from error
