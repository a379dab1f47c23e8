import pytest

from autotiny.language import ExpressionError
from autotiny.language.paper.tokens import tokens


def texts(source):
    return [token.text for token in tokens(source)]


@pytest.mark.parametrize("sign", ["⊙", "∘", ".*", r"\odot", r"\circ"])
def test_spellings_of_a_sign_are_one_token(sign):
    assert texts(f"A {sign} B") == ["A", ".*", "B"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("A2ᵀ", ["A2", "T"]),
        ("X⁻¹", ["X", "-1"]),
        ("Z₂", ["Z2"]),
        ("xᵢ", ["x_i"]),
        ("½x", ["0.5", "x"]),
        ("2.*x", ["2", ".*", "x"]),
        ("2.5e-3x", ["2.5e-3", "x"]),
        ("A_{2}", ["A", "_", "{", "2", "}"]),
        (r"\mathbf{A}_2", ["A", "_", "2"]),
        (r"\mathrm{d}Z", ["dZ"]),
        (r"\mathrm{d} \theta", ["dθ"]),
        (r"\hat{y}", ["yhat"]),
        ("ŷ", ["ŷ"]),
        (r"\text{axis 0}", ["axis", "=", "0"]),
        (r"\mathbf{1}", ["𝟙"]),
        (r"\left\lVert x \right\rVert", ["‖", "x", "‖"]),
        ("A' # transposed", ["A", "'"]),
        ("einsum('ij->ji', A)", ["einsum", "(", "ij->ji", ",", "A", ")"]),
        ("𝐖 𝑥", ["W", "x"]),
    ],
)
def test_tokens_of_notations(source, expected):
    assert texts(source) == expected


def test_tokens_know_their_places():
    for token in tokens("W2ᵀ dZ2 * 1[Z1 > 0]"):
        assert "W2ᵀ dZ2 * 1[Z1 > 0]"[token.start : token.end].replace("ᵀ", "T") == token.text


@pytest.mark.parametrize("source", ["f('abc", r"\mathbf{A", r"\§"])
def test_what_is_not_closed_is_an_error(source):
    with pytest.raises(ExpressionError) as caught:
        tokens(source)
    assert "^" in caught.value.excerpt
