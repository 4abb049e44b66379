"""All expectations, of which there is exactly one for every document."""

from tests.corpus import expected_a_to_l, expected_m_to_z
from tests.corpus.expected import Case

CASES: tuple[Case, ...] = (*expected_a_to_l.CASES, *expected_m_to_z.CASES)
