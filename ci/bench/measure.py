"""What the benches share: the programs that are measured, times, memory, and a table."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = "fixtures/guide/nginx.conf"
PROXYPROOF = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")) / "release/proxyproof"
RELEASE = os.environ.get("RELEASE", "trixie")
SOURCES = ["--nginx", f"debian:{RELEASE}", "--prometheus", f"debian:{RELEASE}"]


class Failed(Exception):
    """Something that is measured did not do what it is measured for."""


def run(command, codes=(0,), environment=None):
    """Runs a command to its end: its output. Other codes than these are a failure."""
    variables = os.environ | (environment or {})
    command = [str(word) for word in command]
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        said = (done.stdout[-600:] + done.stderr[-1200:]).strip()
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")
    return done.stdout


def milliseconds(command, codes=(0,), environment=None):
    """How long a command takes."""
    begun = time.monotonic()
    run(command, codes, environment)
    return (time.monotonic() - begun) * 1000


def check(*words, codes=(0,)):
    """The command line of a check with the packages that everything here runs."""
    return [PROXYPROOF, "check", *words, *SOURCES]


def versions(releases):
    """The command line of an upgrade from one release to another in the sandbox, or of a check of the one that is named."""
    if isinstance(releases, str):
        source = f"debian:{releases}"
        return [PROXYPROOF, "check", GUIDE, "--runtime", "sandbox", "--nginx", source, "--prometheus", source]
    old, new = releases
    return [PROXYPROOF, "upgrade", GUIDE, "--runtime", "sandbox", "--from", f"debian:{old}", "--to", f"debian:{new}"]


def peak(command, codes=(0,)):
    """How long a command takes, and the most memory that its own process had, in MB. Its programs are not counted."""
    command = [str(word) for word in command]
    begun = time.monotonic()
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        highest = Highest(process.pid)
        said, _ = process.communicate()
        took = (time.monotonic() - begun) * 1000
    if process.returncode not in codes:
        raise Failed(f"`{' '.join(command)}` ended with {process.returncode}:\n{said[-1200:]}")
    return took, highest.end()


class Highest:
    """Reads a process's high-water mark until it ends: the mark never falls, so the last reading is the one."""

    def __init__(self, pid):
        self.status = pathlib.Path(f"/proc/{pid}/status")
        self.kilobytes = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.follow)
        self.thread.start()

    def follow(self):
        while not self.ended.wait(0.02):
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            marks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
            self.kilobytes = max([self.kilobytes, *marks])

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.kilobytes / 1024


def root_of(program):
    """The root in the cache that a check of these sources uses: the newest without further modules."""
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "proxyproof"
    cache = pathlib.Path(os.environ.get("PROXYPROOF_CACHE", default))
    roots = []
    for manifest in cache.glob(f"v1/roots/{program}-*/manifest.json"):
        facts = json.loads(manifest.read_text())
        if facts["recipe"] == program and facts["source"] == f"debian:{RELEASE}":
            roots.append((-len(facts["packages"]), manifest.stat().st_mtime, manifest.parent / "root"))
    if not roots:
        raise Failed(f"there is no root of {program} in {cache}: run `proxyproof check` first")
    return max(roots)[2]


def make_certificates(directory):
    """A CA and a certificate for the guide's name and all variants, under the names that the scripts know."""
    ca, site = directory / "ca", directory / "site"
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=DNS:example.com,DNS:*.example.com\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    run([*new, "-x509", "-days", "30", "-subj", "/CN=proxyproof bench CA", "-keyout", f"{ca}.key", "-out", f"{ca}.crt",
         "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
    run([*new, "-subj", "/CN=example.com", "-keyout", f"{site}.key", "-out", f"{site}.csr"])
    run(["openssl", "x509", "-req", "-in", f"{site}.csr", "-days", "30", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key",
         "-CAcreateserial", "-extfile", extensions, "-out", f"{site}.crt"])
    for kind in ["crt", "key"]:
        (directory / f"example.com.{kind}").write_bytes((directory / f"site.{kind}").read_bytes())


def say(text):
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def table(headings, rows):
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def duration(value):
    """Milliseconds, for people."""
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"
