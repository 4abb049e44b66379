"""python -m microfedi."""

import sys

from microfedi.cli import main

sys.exit(main())
