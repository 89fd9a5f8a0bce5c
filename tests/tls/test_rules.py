"""Every rule by which a chain is accepted or refused, one by one."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import ObjectIdentifier, UnrecognizedExtension

from meshchain.tls import constraints, tlsa
from meshchain.tls.certificates import Certificate, signed_by
from meshchain.tls.path import BUDGET, Anchors, Search
from meshchain.tls.verify import Tlsa, Verdict, check_chain
from tests.tls import forge
from tests.tls.kit import ALONE, CLIENT_ONLY, DAY, HOST, INTER, LEAF, NOW, ROOT, Cert, key, record, spki

OTHER = Cert("other", "other", names=(HOST,))


def check(chain: list[Cert], *records: Tlsa, host: str | None = HOST, roots: list[Cert] | None = None,
          name_check: bool = True, later: timedelta = 0 * DAY) -> Verdict:  # fmt: skip
    return check_chain(
        [cert.der for cert in chain],
        records,
        host=host,
        now=NOW + later,
        trust_anchors=[root.der for root in roots or []],
        name_check=name_check,
    )


def reason(*args: object, **more: object) -> str:
    return check(*args, **more).reason  # type: ignore[arg-type]


class TestUsability:
    """R3, R4, R5, R11."""

    UNUSABLE = (
        Tlsa(4, 1, 1, bytes(32)), Tlsa(255, 1, 1, bytes(32)), Tlsa(3, 2, 1, bytes(32)), Tlsa(3, 1, 3, bytes(32)),
        Tlsa(3, 1, 1, bytes(31)), Tlsa(3, 1, 1, bytes(33)), Tlsa(3, 1, 2, bytes(32)), Tlsa(3, 1, 1, b""),
        Tlsa(3, 0, 0, b"junk"), Tlsa(3, 1, 0, b"junk"), Tlsa(2, 0, 0, spki("leaf")), Tlsa(2, 1, 0, LEAF.der),
        Tlsa(0, 0, 1, bytes(32)), Tlsa(1, 1, 1, bytes(32)),
    )  # fmt: skip

    @pytest.mark.parametrize("record", UNUSABLE, ids=str)
    def test_unusable(self, record: Tlsa) -> None:
        assert tlsa.problem(record, roots=False) is not None
        assert check([ALONE], record) == Verdict(False, "no-usable-records")

    @pytest.mark.parametrize("junk", UNUSABLE, ids=str)
    def test_beside_a_good_one(self, junk: Tlsa) -> None:
        good = record(3, 1, 1, ALONE)
        assert check([ALONE], junk, good) == Verdict(True, "ok", good, 0)

    def test_no_records(self) -> None:
        assert check([ALONE]) == Verdict(False, "no-usable-records")

    @pytest.mark.parametrize("selector", [0, 1])
    def test_the_strongest_digest_decides(self, selector: int) -> None:
        right, wrong = record(3, selector, 1, ALONE), record(3, selector, 2, OTHER)
        assert reason([ALONE], right, wrong) == "no-match"
        assert check([ALONE], record(3, selector, 2, ALONE), record(3, selector, 1, OTHER)).ok

    def test_agility_is_for_one_usage_and_selector(self) -> None:
        assert check([ALONE], record(3, 1, 1, ALONE), record(3, 0, 2, OTHER), record(2, 1, 2, OTHER)).ok

    def test_whole_data_stands_beside_digests(self) -> None:
        assert check([ALONE], record(3, 1, 0, ALONE), record(3, 1, 2, OTHER)).ok
        assert check([ALONE], record(3, 1, 0, OTHER), record(3, 1, 1, ALONE)).ok

    def test_an_unusable_strong_digest_outdoes_nothing(self) -> None:
        assert check([ALONE], record(3, 1, 1, ALONE), Tlsa(3, 1, 2, bytes(63))).ok

    @pytest.mark.parametrize("text", ["3 1 1 AB cd", "3  1 1 abcd"])
    def test_text(self, text: str) -> None:
        assert str(tlsa.parse(text)) == "3 1 1 abcd"

    @pytest.mark.parametrize("text", ["", "3 1 1", "3 1 x ab", "256 1 1 ab", "3 1 1 abc", "3 1 -1 ab", "3 1 1 zz"])
    def test_no_text(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"TLSA|hex"):
            tlsa.parse(text)


class TestLeaf:
    """Usage 3: R6, R7, R8."""

    @pytest.mark.parametrize("selector", [0, 1])
    @pytest.mark.parametrize("kind", [0, 1, 2])
    def test_match(self, selector: int, kind: int) -> None:
        means = record(3, selector, kind, LEAF)
        assert check([LEAF], means) == Verdict(True, "ok", means, 0)
        assert check([OTHER], means) == Verdict(False, "no-match")

    def test_only_the_leaf(self) -> None:
        assert reason([LEAF, INTER], record(3, 1, 1, INTER)) == "no-match"

    @pytest.mark.parametrize("days", [(-2, -1), (1, 2)])
    def test_dates_do_not_count(self, days: tuple[int, int]) -> None:
        assert check([replace(ALONE, days=days)], record(3, 1, 1, ALONE)).ok

    def test_purposes_do_not_count(self) -> None:
        assert check([replace(ALONE, purposes=CLIENT_ONLY)], record(3, 1, 1, ALONE)).ok

    def test_names_count_for_browsers(self) -> None:
        means = record(3, 1, 1, ALONE)
        assert check([ALONE], means, host="bob.mesh") == Verdict(False, "name-mismatch", means, 0)
        assert check([ALONE], means, host="bob.mesh", name_check=False).ok
        assert check([ALONE], means, host=None).ok

    @pytest.mark.parametrize("name", ["leaf", "ed", "rsa2048"])
    def test_any_kind_of_key(self, name: str) -> None:
        cert = Cert(name, name, names=(HOST,))
        assert check([cert], record(3, 1, 1, cert)).ok

    def test_raw_public_key(self) -> None:
        means = record(3, 1, 1, ALONE)
        keys = {"host": HOST, "now": NOW}
        assert check_chain([spki("leaf")], [means], **keys) == Verdict(True, "ok", means, 0)  # type: ignore[arg-type]
        assert check_chain([spki("other")], [means], **keys).reason == "no-match"  # type: ignore[arg-type]
        for unfit in (record(3, 0, 1, ALONE), record(2, 1, 1, ALONE), record(2, 1, 0, ALONE)):
            assert check_chain([spki("leaf")], [unfit], **keys).reason == "no-match"  # type: ignore[arg-type]

    @pytest.mark.parametrize("chain", [[], [b""], [b"junk"], [LEAF.der[:-1]], [spki("leaf"), LEAF.der]])
    def test_malformed(self, chain: list[bytes]) -> None:
        assert check_chain(chain, [record(3, 1, 1, LEAF)], host=HOST, now=NOW).reason == "malformed"

    def test_a_moment_without_zone_is_utc(self) -> None:
        assert check_chain([LEAF.der, INTER.der], [record(2, 1, 1, INTER)], host=HOST, now=NOW.replace(tzinfo=None)).ok


class TestAnchor:
    """Usage 2: R9, R10, R12."""

    CHAIN = (LEAF, INTER, ROOT)

    @pytest.mark.parametrize("selector", [0, 1])
    @pytest.mark.parametrize("kind", [0, 1, 2])
    @pytest.mark.parametrize(("anchor", "depth"), [(INTER, 1), (ROOT, 2)])
    def test_match(self, selector: int, kind: int, anchor: Cert, depth: int) -> None:
        means = record(2, selector, kind, anchor)
        found = check([*self.CHAIN], means)
        assert (found.ok, found.matched) == (True, means)
        assert found.depth == (depth - 1 if selector and not kind else depth)  # a bare key: what it signed

    def test_an_intermediate_alone_is_enough(self) -> None:
        assert check([LEAF, INTER], record(2, 1, 1, INTER)).ok

    def test_order_and_strangers_in_the_chain(self) -> None:
        assert check([LEAF, OTHER, ROOT, INTER], record(2, 0, 1, ROOT)).depth == 2

    def test_local_roots_are_ignored(self) -> None:
        assert reason([LEAF, INTER], record(2, 1, 1, ROOT), roots=[ROOT]) == "no-match"

    @pytest.mark.parametrize("old", [0, 1, 2])
    def test_expired_anywhere(self, old: int) -> None:
        chain = [replace(cert, days=(-9, -1)) if at == old else cert for at, cert in enumerate(self.CHAIN)]
        assert check(chain, record(2, 1, 1, ROOT)).reason == "expired"

    def test_not_valid_yet(self) -> None:
        assert reason([replace(LEAF, days=(1, 2)), INTER], record(2, 1, 1, INTER)) == "expired"

    def test_name(self) -> None:
        for name_check in (True, False):
            found = check([*self.CHAIN], record(2, 1, 1, ROOT), host="bob.mesh", name_check=name_check)
            assert (found.reason, found.matched) == ("name-mismatch", record(2, 1, 1, ROOT))

    def test_digest_of_what_was_not_sent(self) -> None:
        assert reason([LEAF, INTER], record(2, 0, 1, ROOT)) == "no-match"

    def test_digest_of_what_came_from_the_ledger(self) -> None:
        brought = Tlsa(0, 0, 0, ROOT.der)
        assert reason([LEAF, INTER], record(2, 0, 1, ROOT), brought, roots=[replace(OTHER, ca=True)]) == "no-match"

    def test_missing_intermediate(self) -> None:
        assert reason([LEAF, ROOT], record(2, 1, 1, ROOT)) == "untrusted"

    def test_missing_intermediate_from_the_ledger(self) -> None:
        assert check([LEAF, ROOT], record(2, 0, 0, INTER)).depth == 1
        assert check([LEAF], record(2, 0, 0, INTER), record(2, 0, 0, ROOT)).depth == 1

    def test_whole_anchor_that_was_not_sent(self) -> None:
        means = record(2, 0, 0, ROOT)
        assert check([LEAF, INTER], means) == Verdict(True, "ok", means, 2)

    def test_bare_key(self) -> None:
        means = record(2, 1, 0, ROOT)
        assert check([LEAF, INTER], means) == Verdict(True, "ok", means, 1)
        assert check([LEAF], record(2, 1, 0, INTER)).depth == 0
        assert reason([LEAF, INTER], record(2, 1, 0, OTHER)) == "no-match"
        assert reason([LEAF], means) == "no-match"

    def test_bare_key_among_others(self) -> None:
        assert check([LEAF, INTER], record(2, 1, 0, OTHER), record(2, 1, 0, ROOT)).matched == record(2, 1, 0, ROOT)

    def test_bare_key_and_an_expired_chain(self) -> None:
        assert reason([replace(LEAF, days=(-9, -1)), INTER], record(2, 1, 0, ROOT)) == "expired"
        assert reason([LEAF, INTER], record(2, 1, 0, ROOT), host="bob.mesh") == "name-mismatch"

    def test_self_signed_leaf(self) -> None:
        means = record(2, 1, 1, ALONE)
        assert check([ALONE], means) == Verdict(True, "ok", means, 0)
        assert reason([ALONE], means, host="bob.mesh") == "name-mismatch"
        assert reason([replace(ALONE, days=(-9, -1))], means) == "expired"

    def test_a_leaf_of_another_is_no_anchor(self) -> None:
        assert not check([LEAF], record(2, 1, 1, LEAF)).ok

    def test_forged_signature(self) -> None:
        assert reason([replace(LEAF, signer="other"), INTER], record(2, 1, 1, INTER)) == "untrusted"

    def test_issuer_that_is_no_authority(self) -> None:
        assert reason([LEAF, replace(INTER, ca=False), ROOT], record(2, 1, 1, ROOT)) == "untrusted"
        assert reason([LEAF, replace(INTER, signs_certificates=False)], record(2, 1, 1, INTER)) == "untrusted"
        assert check([LEAF, replace(INTER, signs_certificates=True)], record(2, 1, 1, INTER)).ok

    def test_path_length(self) -> None:
        assert check([LEAF, INTER, replace(ROOT, path_length=1)], record(2, 1, 1, ROOT)).ok
        assert reason([LEAF, INTER, replace(ROOT, path_length=0)], record(2, 1, 1, ROOT)) == "untrusted"
        assert check([LEAF, replace(INTER, path_length=0)], record(2, 1, 1, INTER)).ok

    def test_self_issued_authorities_do_not_count(self) -> None:
        """A new key of the same authority, signed by its old one."""
        renewed = replace(INTER, by="inter", keyed="renewed")
        chain = [replace(LEAF, signer="renewed"), renewed, replace(INTER, path_length=0)]
        assert check(chain, record(2, 0, 1, chain[2])).depth == 2

    @pytest.mark.parametrize("at", [0, 1])
    def test_purposes(self, at: int) -> None:
        chain = [replace(cert, purposes=CLIENT_ONLY) if n == at else cert for n, cert in enumerate((LEAF, INTER))]
        assert reason(chain, record(2, 1, 1, INTER)) == "untrusted"

    def test_unknown_critical_extension(self) -> None:
        odd = replace(INTER, more=(UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\5\0"),))
        assert reason([LEAF, odd], record(2, 1, 1, INTER)) == "untrusted"

    def test_the_renewed_authority_passes_where_the_old_fails(self) -> None:
        old = replace(INTER, days=(-9, -1))
        assert check([LEAF, old, INTER], record(2, 1, 1, INTER)).ok

    def test_ed25519_and_rsa(self) -> None:
        for name in ("ed", "rsa2048"):
            authority = Cert(name, name, ca=True)
            assert check([replace(LEAF, by=name), authority], record(2, 1, 1, authority)).ok

    def test_sha1(self) -> None:
        """The same certificate with sha1WithRSAEncryption (…1.5) for sha256WithRSAEncryption (…1.11), signed anew."""
        authority, leaf = Cert("rsa2048", "rsa2048", ca=True), replace(LEAF, by="rsa2048")
        parsed, signer = x509.load_der_x509_certificate(leaf.der), key("rsa2048")
        assert isinstance(signer, RSAPrivateKey)
        oid = bytes.fromhex("2a864886f70d0101")
        tbs = parsed.tbs_certificate_bytes.replace(oid + b"\x0b", oid + b"\x05", 1)
        weak = leaf.der.replace(oid + b"\x0b", oid + b"\x05").replace(
            parsed.signature, signer.sign(tbs, PKCS1v15(), SHA1())
        )
        read, issuer = Certificate.read(weak), Certificate.read(authority.der)
        assert read is not None
        assert issuer is not None
        assert not signed_by(read, issuer)
        assert (
            check_chain([weak, authority.der], [record(2, 1, 1, authority)], host=HOST, now=NOW).reason == "untrusted"
        )

    def test_weak_rsa(self) -> None:
        weak = Cert("rsa1024", "rsa1024", ca=True)
        assert reason([replace(LEAF, by="rsa1024"), weak], record(2, 1, 1, weak)) == "untrusted"


class TestConstraints:
    CASES = (
        (("mesh",), (), True), ((".mesh",), (), True), (("alice.mesh",), (), True), (("bob.mesh",), (), False),
        (("esh",), (), False), (("com",), (), False), ((), ("mesh",), False), ((), ("alice.mesh",), False),
        ((), ("bob.mesh",), True), (("mesh",), ("alice.mesh",), False), (("com", "mesh"), ("com",), True),
    )  # fmt: skip

    @pytest.mark.parametrize(("permitted", "excluded", "fits"), CASES)
    @pytest.mark.parametrize("at", [1, 2])
    def test_names(self, permitted: tuple[str, ...], excluded: tuple[str, ...], fits: bool, at: int) -> None:
        chain = [LEAF, INTER, ROOT]
        chain[at] = replace(chain[at], permitted=permitted, excluded=excluded)
        assert reason(chain, record(2, 1, 1, ROOT)) == ("ok" if fits else "untrusted")

    def test_every_name_counts_not_only_the_one_asked_for(self) -> None:
        leaf = replace(LEAF, names=(HOST, "evil.com"))
        assert reason([leaf, replace(INTER, permitted=("mesh",))], record(2, 1, 1, INTER)) == "untrusted"

    def test_too_much_to_compare(self) -> None:
        leaf = replace(LEAF, names=(HOST, *(f"{n}.alice.mesh" for n in range(999))))
        few, many = (("mesh", *(f"{n}.test" for n in range(count))) for count in (15, 25))
        assert check([leaf, replace(INTER, permitted=few)], record(2, 1, 1, INTER)).ok
        assert reason([leaf, replace(INTER, permitted=many)], record(2, 1, 1, INTER)) == "untrusted"

    def test_wildcard_over_an_excluded_name(self) -> None:
        leaf = replace(LEAF, names=("*.mesh", "*.alice.mesh"))
        chain = [leaf, replace(INTER, excluded=("bob.mesh",))]
        assert reason(chain, record(2, 1, 1, INTER), host="www.alice.mesh") == "untrusted"


class TestRoots:
    """Usages 0 and 1: R11."""

    def test_authority(self) -> None:
        for anchor, depth in ((INTER, 1), (ROOT, 2)):
            means = record(0, 1, 1, anchor)
            assert check([LEAF, INTER], means, roots=[ROOT]) == Verdict(True, "ok", means, depth)

    def test_leaf(self) -> None:
        means = record(1, 1, 1, LEAF)
        assert check([LEAF, INTER], means, roots=[ROOT]) == Verdict(True, "ok", means, 0)

    def test_match_without_a_root(self) -> None:
        stranger = Cert("stranger", "stranger", ca=True)
        for means in (record(1, 1, 1, LEAF), record(0, 1, 1, INTER)):
            assert check([LEAF, INTER], means, roots=[stranger]) == Verdict(False, "untrusted", means, None)

    def test_root_without_a_match(self) -> None:
        for means in (record(1, 1, 1, OTHER), record(0, 1, 1, OTHER), record(0, 1, 1, LEAF), record(1, 1, 1, INTER)):
            assert reason([LEAF, INTER], means, roots=[ROOT]) == "no-match"

    def test_names_and_dates_count(self) -> None:
        means = record(1, 1, 1, LEAF)
        for name_check in (True, False):
            assert reason([LEAF, INTER], means, roots=[ROOT], host="b.mesh", name_check=name_check) == "name-mismatch"
        assert reason([LEAF, INTER], means, roots=[ROOT], later=2 * DAY) == "expired"

    def test_intermediate_from_the_ledger(self) -> None:
        assert check([LEAF], record(0, 0, 0, INTER), roots=[ROOT]).depth == 1


class TestOrder:
    """R13."""

    def test_3_is_told_before_2_before_0_and_1(self) -> None:
        three, two, zero, one = (record(u, 1, 1, c) for u, c in ((3, LEAF), (2, INTER), (0, INTER), (1, LEAF)))
        assert check([LEAF, INTER], zero, one, two, three, roots=[ROOT]).matched == three
        assert check([LEAF, INTER], zero, one, two, roots=[ROOT]).matched == two

    def test_shallow_before_deep(self) -> None:
        assert check([LEAF, INTER, ROOT], record(2, 1, 1, ROOT), record(2, 0, 1, INTER)).depth == 1

    def test_2_may_hold_where_3_fails(self) -> None:
        assert check([LEAF, INTER], record(3, 1, 1, OTHER), record(2, 1, 1, INTER)).depth == 1

    def test_rollover(self) -> None:
        """R17: old and new stand beside each other, and either key serves."""
        both = record(3, 1, 1, ALONE), record(3, 1, 1, OTHER)
        assert check([ALONE], *both).ok
        assert check([OTHER], *both).ok


class TestNames:
    """R14."""

    CASES = (
        ("alice.mesh", "alice.mesh", True), ("ALICE.mesh", "alice.Mesh.", True), ("bob.mesh", "alice.mesh", False),
        ("*.alice.mesh", "www.alice.mesh", True), ("*.alice.mesh", "alice.mesh", False),
        ("*.alice.mesh", "a.b.alice.mesh", False), ("w*.alice.mesh", "www.alice.mesh", False),
        ("*w.alice.mesh", "www.alice.mesh", False), ("*.mesh", "alice.mesh", False), ("*", "alice.mesh", False),
        ("www.*.mesh", "www.alice.mesh", False), ("*.*.mesh", "www.alice.mesh", False), ("alice.mesh", "", False),
    )  # fmt: skip

    @pytest.mark.parametrize(("pattern", "host", "fits"), CASES)
    def test_fits(self, pattern: str, host: str, fits: bool) -> None:
        cert = replace(ALONE, names=(pattern,))
        assert reason([cert], record(3, 1, 1, cert), host=host) == ("ok" if fits else "name-mismatch")

    def test_common_names_are_text(self) -> None:
        cert = Cert("alice.mesh", "alice.mesh")
        assert reason([cert], record(3, 1, 1, cert)) == "name-mismatch"

    def test_addresses(self) -> None:
        cert = replace(ALONE, names=("eeee::1",))
        assert reason([cert], record(3, 1, 1, cert), host="eeee::1") == "name-mismatch"


class TestBounds:
    def test_look_alikes_cost_a_bounded_number_of_signatures(self) -> None:
        """Authorities of one name that all issued each other: every order of them is a path."""
        many = [Cert("root", "root", ca=True, days=(-day, 100)) for day in range(1, 15)]
        pool = [read for cert in many if (read := Certificate.read(cert.der))]
        leaf = Certificate.read(replace(LEAF, by="root").der)
        assert leaf is not None
        search = Search(pool, Anchors(lambda _path: False), HOST, NOW)
        assert search.run(leaf) is None
        assert -(BUDGET + 1) * (len(pool) + 1) < search.left < 0

    def test_a_walk_compares_a_bounded_number_of_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Look-alikes with names and constraints: 78 KB of them were worth half a minute."""
        compared = 0

        def within(name: x509.GeneralName, tree: object) -> bool:
            nonlocal compared
            compared += 1
            return real(name, tree)

        real = constraints._within
        monkeypatch.setattr(constraints, "_within", within)
        names = forge.for_names(HOST, *(f"{n}.mesh" for n in range(99)))
        limits = forge.constraints(permitted=("mesh",), excluded=[f"{n}.test" for n in range(19)])
        name, leaf = forge.common_name("r"), forge.common_name("leaf")
        more = [forge.authority(), names, limits]
        chain = [forge.Forged(name, name, 1, 1, more, serial=n).encode() for n in range(14)]
        chain.insert(0, forge.Forged(leaf, name, 2, 1, [names]).encode())
        for asked in (HOST, "bob.mesh"):
            compared = 0
            means = Tlsa(2, 1, 1, sha256(forge.public_key(1)).digest())
            fits = check_chain(chain, [means], host=asked, now=NOW).ok
            assert fits == (asked == HOST)
            assert 2_000 <= compared <= 20_000

    def test_long_chains_are_cut(self) -> None:
        many = [Cert(f"a{n}", f"a{n + 1}", ca=True) for n in range(30)]
        leaf = replace(LEAF, by="a0")
        assert check([leaf, *many], record(2, 1, 1, many[3])).depth == 4
        assert check([leaf, *many], record(2, 1, 1, many[8])).depth == 9
        assert reason([leaf, *many], record(2, 1, 1, many[9])) == "untrusted"
        assert reason([leaf, *many], record(2, 1, 1, many[20])) == "no-match"

    def test_the_65th_record(self) -> None:
        wrong = [Tlsa(3, 1, 1, bytes((n,)) * 32) for n in range(64)]
        assert check([ALONE], *wrong[1:], record(3, 1, 1, ALONE)).ok
        assert reason([ALONE], *wrong, record(3, 1, 1, ALONE)) == "no-match"

    def test_giant_certificate(self) -> None:
        giant = replace(ALONE, names=tuple(f"{n}.alice.mesh" for n in range(5000)))
        assert reason([giant], record(3, 1, 1, ALONE)) == "malformed"
