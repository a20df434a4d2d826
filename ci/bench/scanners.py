"""The TLS part of a check beside scanners that are made for nothing else, on the same server.

The scanners are started inside the Pod of a held Lab (`proxyproof up GUIDE -- …`), where this file is run once more.
"""

import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time
import os

import measure
from measure import GUIDE, PROXYPROOF, SOURCES, Failed, check, run, say

SSLYZE = "sslyze==6.3.1"
NAME = "example.com"
# All that it asks unless told otherwise, and what else proxyproof asks too.
SSLYZE_QUESTIONS = (
    "sslv2 sslv3 tlsv1 tlsv1_1 tlsv1_2 tlsv1_3 certinfo resum http_headers compression early_data elliptic_curves fallback"
    " heartbleed openssl_ccs reneg robot ems"
).split()


def tls_checks():
    """The checks that are about TLS and certificates alone."""
    ids = [line.split()[0] for line in run([PROXYPROOF, "checks"]).splitlines() if line.strip()]
    chosen = [name for name in ids if name.startswith(("tls-", "certificate-")) and name != "certificate-rotation"]
    if not chosen:
        raise Failed("`proxyproof checks` lists no check of TLS")
    return chosen


def install_sslyze():
    """Into an environment of its own in the user's cache."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    place = cache / "proxyproof-ci" / SSLYZE.replace("==", "-")
    if not (place / "complete").exists():
        say(f"installing {SSLYZE} into {place}")
        run([sys.executable, "-m", "venv", "--clear", place])
        run([place / "bin/pip", "install", "--quiet", "--disable-pip-version-check", SSLYZE])
        (place / "complete").touch()
    return place / "bin/sslyze"


def testssl():
    """Debian's testssl.sh."""
    found = shutil.which("testssl") or shutil.which("testssl.sh")
    if not found:
        raise Failed("testssl.sh is needed: install Debian's package testssl.sh")
    return found


def compare(rounds, scratch, quick):
    """Medians in milliseconds of the three, and what they say."""
    only = [word for name in tls_checks() for word in ["--only", name]]
    whole, asked = [], []
    for _ in range(rounds):
        words = check(GUIDE, "--runtime", "sandbox", "--format", "json", "--timings", *only)
        begun = time.monotonic()
        said = json.loads(run(words, codes=(0, 1)))
        whole.append((time.monotonic() - begun) * 1000)
        asked.append(said["deployments"][0]["timings"]["checks"])
    report = scratch / "tls.json"
    run(check(GUIDE, "--runtime", "sandbox", "--format", "json", "--output", report), codes=(0, 1))
    say("sslyze and testssl.sh, in a held Lab")
    plan = {"sslyze": str(install_sslyze()), "testssl": testssl(), "rounds": max(1, rounds // 3), "out": str(scratch), "quick": quick}
    inside = [sys.executable, __file__, json.dumps(plan)]
    run([PROXYPROOF, "up", GUIDE, "--runtime", "sandbox", *SOURCES, "--", *inside])
    times = json.loads((scratch / "scanners.json").read_text())
    times["whole"] = statistics.median(whole)
    times["proxyproof"] = statistics.median(asked)
    times["checks"] = len(only) // 2
    return times, findings(json.loads(report.read_text()), scratch)


def findings(report, scratch):
    """What all three say, side by side."""
    scan = json.loads((scratch / "sslyze.json").read_text())["server_scan_results"][0]["scan_result"]
    lines = {line["id"]: line["finding"] for line in json.loads((scratch / "testssl.json").read_text())}
    outcomes = {check["id"]: check["outcome"] for check in report["deployments"][0]["checks"]}
    notes = [finding["check"] for finding in report["deployments"][0]["findings"]]

    def suites(version):
        accepted = scan[f"tls_1_{version}_cipher_suites"]["result"]["accepted_cipher_suites"]
        return [suite["cipher_suite"]["name"] for suite in accepted]

    def offered(*names):
        said = [lines.get(name, "") for name in names]
        return "yes" if any(word.startswith("offered") for word in said) else "no" if any(said) else "not asked"

    def weak(name):
        return any(word in name for word in ["NULL", "RC4", "3DES", "EXPORT", "anon"])

    yes = {True: "yes", False: "no"}
    every = suites(0) + suites(1) + suites(2)
    hsts = scan["http_headers"]["result"]
    hsts = "not asked" if hsts is None else yes[bool(hsts["strict_transport_security_header"])]
    resumption = scan["session_resumption"]["result"]
    resumed = "not asked" if resumption is None else yes["FULLY" in json.dumps(resumption)]
    old = yes["tls-versions" in notes]
    return [
        ["TLS 1.0 or 1.1 is taken", old, yes[bool(suites(0) + suites(1))], offered("TLS1", "TLS1_1")],
        ["TLS 1.2 is taken", yes[outcomes["tls-versions"] == "pass"], yes[bool(suites(2))], offered("TLS1_2")],
        ["TLS 1.3 is taken", yes[outcomes["tls-versions"] == "pass"], yes[bool(suites(3))], offered("TLS1_3")],
        ["a broken suite is taken", yes[outcomes["tls-ciphers"] == "fail"], yes[any(map(weak, every))],
         offered("cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT", "cipherlist_LOW", "cipherlist_3DES_IDEA")],
        ["a suite without authenticated encryption is taken", yes["tls-ciphers" in notes],
         yes[any("CBC" in name for name in every)], offered("cipherlist_OBSOLETED", "cipherlist_AVERAGE")],
        ["sessions are resumed", yes[outcomes["session-resumption"] == "pass"], resumed,
         "not asked" if "sessionresumption_ID" not in lines
         else yes["supported" in (lines["sessionresumption_ID"], lines.get("sessionresumption_ticket"))]],
        ["Strict-Transport-Security is sent", yes["hsts" not in notes], hsts,
         "not asked" if "HSTS" not in lines else yes["not offered" not in lines["HSTS"]]],
    ]


def scan(plan):
    """Inside the Pod: each scanner, timed."""
    out = pathlib.Path(plan["out"])
    address = socket.gethostbyname(NAME)
    commands = {
        "sslyze": [plan["sslyze"], f"--json_out={out}/sslyze.json", *(f"--{name}" for name in SSLYZE_QUESTIONS), f"{NAME}:443"],
        "testssl": [plan["testssl"], "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", address,
                    "--jsonfile", f"{out}/testssl.json", *(["-p", "-s", "-h"] if plan["quick"] else []),
                    f"https://{NAME}/"],
    }
    times = {}
    for name, command in commands.items():
        took = []
        for _ in range(plan["rounds"] if name == "sslyze" else 1):
            begun = time.monotonic()
            # Both end with the number of their warnings: what they wrote says whether they worked.
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
            took.append((time.monotonic() - begun) * 1000)
        if not (out / f"{name}.json").exists():
            raise Failed(f"{name} wrote nothing: {' '.join(command)}")
        times[name] = statistics.median(took)
    (out / "scanners.json").write_text(json.dumps(times))


if __name__ == "__main__":
    scan(json.loads(sys.argv[1]))
