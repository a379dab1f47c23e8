"""The cases of SciPy's rows: each function with the domain of its arguments, of which the first may be constants."""

from scipy import special

from autotiny.scipy import special as mirror
from autotiny.scipy import ufuncs
from ops.declare import NONZERO, POSITIVE, REAL, UNIT, Between, Case

PROBABILITY = Between(0.05, 0.95)
ORDERS = Between(0.5, 4)
LARGE = Between(3, 9)
SHAPES = {1: [((),), ((2, 3),)], 2: [((), ()), ((2, 1), (3,))]}
CASES: list[Case] = []


def declare(function, *domains, constants=0, shapes=None, smooth=True, call=None, **options):
    """Enter the cases of a function; constants are the positions of those arguments, or how many are at its front."""
    constants = constants if isinstance(constants, tuple) else tuple(range(constants))
    for each in shapes or SHAPES.get(len(domains), [tuple((3,) for _ in domains)]):
        name = function.__name__ + "".join(f"[{key}]" for key in options)
        CASES.append(Case(function, name, call or function, domains, each, options, constants, "double", smooth))


class Degrees:
    """Whole numbers, as degrees and orders."""

    def draw(self, rng, shape, position):
        return rng.integers(0, 5, shape).astype(float)


class Whole(Degrees):
    """Whole numbers, as integers."""

    def draw(self, rng, shape, position):
        return rng.integers(1, 5, shape)


# ----- error functions -----
for name in ["erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "log_ndtr"]:
    declare(getattr(special, name), REAL)
declare(special.erfinv, UNIT)
declare(special.ndtri, PROBABILITY)
declare(special.erfcinv, Between(0.1, 1.9))
declare(special.ndtri_exp, Between(-3, -0.1))
declare(special.erf, REAL, shapes=[((0,),)])
declare(special.owens_t, REAL, NONZERO)
declare(ufuncs.hazard, REAL)

# ----- gamma and beta functions -----
for name in ["gamma", "gammaln", "loggamma", "psi", "rgamma"]:
    declare(getattr(special, name), POSITIVE)

declare(special.gammasgn, POSITIVE)
for name in ["poch", "beta", "betaln"]:
    declare(getattr(special, name), POSITIVE, ORDERS)
declare(special.binom, LARGE, ORDERS)
declare(ufuncs.zeta, Between(2, 4), POSITIVE, constants=1)
declare(mirror.polygamma, Whole(), POSITIVE, constants=1)
for name in ["gammainc", "gammaincc"]:
    declare(getattr(special, name), ORDERS, POSITIVE, constants=1)
for name in ["gammaincinv", "gammainccinv"]:
    declare(getattr(special, name), ORDERS, PROBABILITY, constants=1)
for name in ["betainc", "betaincc"]:
    declare(getattr(special, name), ORDERS, ORDERS, PROBABILITY, constants=2)
for name in ["betaincinv", "betainccinv"]:
    declare(getattr(special, name), Between(1, 2), Between(1, 2), Between(0.3, 0.7), constants=2)
declare(special.stdtr, ORDERS, REAL, constants=1)
declare(special.stdtrit, Between(2, 4), Between(0.2, 0.45), constants=1)
for name in ["chdtr", "chdtrc"]:
    declare(getattr(special, name), ORDERS, POSITIVE, constants=1)
for name in ["pdtr", "pdtrc"]:
    declare(getattr(special, name), Degrees(), POSITIVE, constants=1)

# ----- logarithms, exponentials, integrals -----
for name in ["expit", "log_expit", "exprel", "exp10", "exp2", "expm1", "cosm1", "sindg", "cosdg", "wrightomega"]:
    declare(getattr(special, name), REAL)
declare(special.tandg, UNIT)
declare(special.cotdg, Between(20, 160))
declare(special.logit, PROBABILITY)
declare(special.round, Between(0.6, 1.4))
declare(special.cbrt, NONZERO)
declare(special.log1p, UNIT)
declare(ufuncs.exponential_moment, REAL, k=2)
for name in ["xlogy", "rel_entr", "kl_div"]:
    declare(getattr(special, name), POSITIVE, Between(4, 6))
declare(special.xlog1py, REAL, POSITIVE)
for name in ["entr", "expi", "exp1", "spence"]:
    declare(getattr(special, name), POSITIVE)
declare(special.powm1, POSITIVE, REAL)
declare(special.boxcox, POSITIVE, REAL)
declare(special.boxcox1p, POSITIVE, REAL)
for name in ["inv_boxcox", "inv_boxcox1p"]:
    declare(getattr(special, name), POSITIVE, Between(0.5, 2), constants=(1,), shapes=[((2, 3), (3,))])
declare(special.huber, Between(1, 1.2), Between(-3, 3, kinks=(-1.1, 1.1)), smooth=False)

declare(special.pseudo_huber, POSITIVE, REAL)
declare(special.expn, Whole(), POSITIVE, constants=1)

# ----- Bessel functions -----
for name in ["j0", "j1", "y0", "y1", "i0", "i1", "k0", "k1", "i0e", "i1e", "k0e", "k1e"]:
    declare(getattr(special, name), POSITIVE)
for name in ["jv", "jve", "yv", "yve", "iv", "kv", "ive", "kve"]:
    declare(getattr(special, name), ORDERS, POSITIVE, constants=1)
for name in ["yn", "kn"]:
    declare(getattr(special, name), Whole(), POSITIVE, constants=1)
for name in ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"]:
    declare(getattr(mirror, name), Whole(), POSITIVE, constants=1)
    declare(getattr(mirror, name), Whole(), POSITIVE, constants=1, derivative=True)

# ----- hypergeometric functions and polynomials -----
declare(special.hyp0f1, ORDERS, REAL, constants=1)
declare(special.hyp1f1, ORDERS, ORDERS, REAL, constants=2)
declare(special.hyperu, Between(1, 2), Between(1, 2), Between(1, 2), constants=2)
declare(special.hyp2f1, ORDERS, ORDERS, LARGE, UNIT, constants=3)
for name in ["hermite", "hermitenorm"]:  # which take integers alone
    function = getattr(special, f"eval_{name}")
    declare(function, Degrees(), UNIT, constants=1, call=lambda n, x, f=function: f(n.astype(int), x))
for name in ["legendre", "sh_legendre", "chebyt", "chebyu", "laguerre"]:
    declare(getattr(special, f"eval_{name}"), Degrees(), UNIT, constants=1)
for name in ["genlaguerre", "gegenbauer"]:
    declare(getattr(special, f"eval_{name}"), Degrees(), ORDERS, UNIT, constants=2)
declare(special.eval_jacobi, Degrees(), ORDERS, ORDERS, UNIT, constants=3)

# ----- rows of the mirror -----
declare(mirror.weighted_logsumexp, REAL, POSITIVE, shapes=[((2, 3), (2, 3))], axis=1)
declare(mirror.weighted_logsumexp, REAL, NONZERO, shapes=[((4,), (4,))])
declare(mirror.sign_of_sum, REAL, POSITIVE, shapes=[((2, 3), (2, 3))], axis=1)
