"""`python -m gruenpuls`, the same as the command `gruenpuls`; how `run` starts its processes, too."""

from __future__ import annotations

import sys

from gruenpuls.service.supervise import AS_PREPARED, WITH_PARENT

if sys.argv[-1] in {AS_PREPARED, WITH_PARENT}:
    from gruenpuls.domain.errors import GruenpulsError
    from gruenpuls.service.start import start

    try:
        start(sys.argv[1:])
    except GruenpulsError as error:
        from gruenpuls.cli.output import print_error

        print_error(error)
        sys.exit(error.exit_code)
else:
    from gruenpuls.cli import main

    main()
