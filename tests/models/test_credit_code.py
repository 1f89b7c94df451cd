"""Unified social credit codes, against our own reading of GB 32100-2015."""

from random import Random

import pytest
from stdnum.cn import uscc

from models.credit_code import check_character, credit_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Well-known companies, so that standard and practice are both on the table.
REAL = ["91110000600037341L", "914403001922038216", "9144030071526726XG", "91330100716105852F"]


def own_check_character(body: str) -> str:
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return ALPHABET[-total % 31]


def random_body(random: Random) -> str:
    kind = "".join(random.choices(ALPHABET, k=2))
    region = "".join(random.choices("0123456789", k=6))
    return kind + region + "".join(random.choices(ALPHABET, k=9))


def test_the_check_character_is_that_of_our_own_computation_for_a_thousand_codes() -> None:
    random = Random(32100)
    for body in (random_body(random) for _ in range(1000)):
        assert check_character(body) == own_check_character(body)
        assert credit_code(body + own_check_character(body)) == body + own_check_character(body)


def test_every_other_check_character_is_refused() -> None:
    body, right = REAL[0][:17], REAL[0][17]
    for wrong in ALPHABET.replace(right, ""):
        with pytest.raises(ValueError, match=f"校验码不符，末位应为 {right}：{body}{wrong}"):
            credit_code(body + wrong)


def test_any_single_wrong_character_is_found() -> None:
    random = Random(1)
    for _ in range(200):
        body = random_body(random)
        place = random.randrange(17)
        wrong = random.choice("0123456789" if place in range(2, 8) else ALPHABET)
        if wrong != body[place]:
            spoilt = body[:place] + wrong + body[place + 1 :]
            assert check_character(spoilt) != check_character(body)


@pytest.mark.parametrize("code", REAL)
def test_codes_of_real_companies_hold(code: str) -> None:
    assert credit_code(code) == code


def test_lower_case_and_full_width_are_brought_to_the_standard() -> None:
    assert credit_code("９１１１００００６０００３７３４１l") == "91110000600037341L"


@pytest.mark.parametrize("letter", "IOSVZ")
@pytest.mark.parametrize("place", [0, 1, 9, 17])
def test_a_letter_outside_the_standard_is_refused(letter: str, place: int) -> None:
    code = REAL[0][:place] + letter + REAL[0][place + 1 :]
    with pytest.raises(ValueError, match="不用 I、O、S、V、Z"):
        credit_code(code)


def test_a_registering_authority_with_a_letter_holds_though_stdnum_refuses_it() -> None:
    body = "N2410403MF0000001"
    code = body + own_check_character(body)
    assert credit_code(code) == code
    assert not uscc.is_valid(code)
