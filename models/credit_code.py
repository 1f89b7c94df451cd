"""Unified social credit codes: 18 characters that name a legal person for life (GB 32100-2015)."""

import re
import unicodedata

from stdnum.cn import uscc

# Places 1 and 2 (registering authority, kind of body) may be letters, as in N2 for rural
# collectives; python-stdnum takes digits only there, so its check character is used, not its form.
_FORM = re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}")


def check_character(body: str) -> str:
    """The 18th character that belongs to the first 17 (GB 32100-2015, ISO 7064 weights modulo 31).

    >>> check_character("91110000600037341")
    'L'
    """
    return uscc.calc_check_digit(body)


def credit_code(text: str) -> str:
    """The unified social credit code (统一社会信用代码) as the standard writes it.

    Full-width and lower-case characters are brought to the standard's; nothing else is forgiven.

    >>> credit_code("９１１１００００６０００３７３４１l")
    '91110000600037341L'

    Raises ValueError, in Chinese, where length, a character or the check character is wrong.
    """
    code = unicodedata.normalize("NFKC", text).upper()
    if len(code) != 18:
        raise ValueError(f"应为 18 位，现为 {len(code)} 位：{text}")
    if not _FORM.fullmatch(code):
        raise ValueError(
            f"有不该有的字符（用数字和大写字母，不用 I、O、S、V、Z；第 3 至 8 位为数字）：{text}"
        )
    expected = check_character(code[:17])
    if code[17] != expected:
        raise ValueError(f"校验码不符，末位应为 {expected}：{text}")
    return code
