"""Judge `cost_and_usage`, made from a bill of every export kind, with the official validator.

    python -m conformance

Exits with 1 when the rules that fail are not those that conformance/failing.json lists.
"""

import sys

from conformance import validator, verdict


def main() -> int:
    try:
        if validator.prepare():
            _say(f"Made the validator's environment in {validator.HOME}.")
        found = verdict.judgements()
    except validator.NotJudged as error:
        sys.stderr.write(f"cloudspend: {error}\n")
        return 1
    for kind, judgement in found.items():
        _say(
            f"{kind}: {judgement.rules} rules, {judgement.judged} of them can be checked, "
            f"{len(judgement.failing)} fail: {', '.join(sorted(judgement.failing)) or 'none'}."
        )
    wrong = verdict.differences(found, verdict.known())
    for sentence in wrong:
        sys.stderr.write(f"{sentence}\n")
    if not wrong:
        _say("These are the rules that docs/focus-conformance.md explains.")
    return 1 if wrong else 0


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
