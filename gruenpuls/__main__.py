"""`python -m gruenpuls`, the same as the command `gruenpuls`; how the supervisor of `run` starts, too."""

from __future__ import annotations

import sys

from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.service.start import AS_PREPARED, start

if AS_PREPARED in sys.argv[-2:]:

    def tell(error: GruenpulsError) -> None:
        """Say it as the command line does, which takes 11 MB of memory and is loaded only now."""
        from gruenpuls.cli.output import print_error  # noqa: PLC0415 - see above

        print_error(error)

    try:
        start(sys.argv[1:], tell)
    except GruenpulsError as error:
        tell(error)
        sys.exit(error.exit_code)
else:
    from gruenpuls.cli import main

    main()
