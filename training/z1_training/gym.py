"""Writes tasks of the package reasoning-gym, which no training data holds, as questions for `z1 eval --task jsonl`."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The tasks that the problem families have a counterpart of, at easy settings.
EASY: dict[str, dict[str, Any]] = {
    "letter_counting": {"min_words": 3, "max_words": 6},
    "chain_sum": {"min_terms": 2, "max_terms": 3, "max_digits": 2},
    "basic_arithmetic": {"min_terms": 2, "max_terms": 3, "max_digits": 2},
    "number_sorting": {"min_numbers": 3, "max_numbers": 5, "max_decimals": 0, "min_value": 0, "max_value": 100},
    "spell_backward": {"min_word_len": 3, "max_word_len": 7},
    "gcd": {"max_value": 100},
    "count_primes": {"max_n": 60},
    "base_conversion": {"max_base": 10, "max_value": 100},
}

# Tasks of other kinds with short questions, which a model of the families has to decline.
OTHERS = [
    *["aiw", "binary_alternation", "calendar_arithmetic", "coin_flip", "color_cube_rotation", "count_bits"],
    *["decimal_arithmetic", "dice", "family_relationships", "fraction_simplification", "gsm_symbolic"],
    *["group_anagrams", "intermediate_integration", "isomorphic_strings", "jugs", "knights_knaves", "lcm"],
    *["leg_counting", "letter_jumble", "needle_haystack", "number_format", "number_sequence", "polynomial_equations"],
    *["polynomial_multiplication", "power_function", "prime_factorization", "propositional_logic", "self_reference"],
    *["sentence_reordering", "simple_equations", "simple_geometry", "simple_integration", "syllogism"],
    *["time_intervals", "word_ladder", "word_sequence_reversal", "word_sorting"],
]

LONGEST_OTHER = 600
"""characters of a question of another kind"""


def easy_tasks(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """`count` of each task of EASY, with its name as the family."""
    import reasoning_gym

    for name, settings in EASY.items():
        for i, entry in enumerate(reasoning_gym.create_dataset(name, size=count, seed=seed, **settings)):
            yield {"id": f"{name}-{i}", "question": entry["question"], "answer": entry["answer"], "family": name}


def other_tasks(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """`count` questions in all, the kinds in turn."""
    import reasoning_gym

    sets = {name: iter(reasoning_gym.create_dataset(name, size=500, seed=seed)) for name in OTHERS}
    made = 0
    while made < count:
        for name, entries in sets.items():
            question = next((e["question"] for e in entries if len(e["question"]) <= LONGEST_OTHER), None)
            if question is None or made == count:
                continue
            yield {"id": f"{name}-{made}", "question": question, "family": name}
            made += 1


LONGEST_CODE = 2500
"""characters of a question about a program"""

LONGEST_OUTPUT = 16
"""characters of what the program gives: more is hard to compare, and says nothing about reasoning"""

BOXED = "\n\nPut the final answer within \\boxed{}."


def code_tasks(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """`count` programs of CodeI/O whose output is asked for, no program twice, where it is short and exact."""
    import reasoning_gym

    # Its probability of asking for the input is that of asking for the output (reasoning-gym 0.1.19).
    entries = reasoning_gym.create_dataset("codeio", size=50 * count, seed=seed, input_prediction_probability=1.0)
    programs: set[int] = set()
    for i in range(len(entries)):
        try:
            entry = entries[i]
        except Exception:  # noqa: BLE001 - it runs the programs itself, and some of them fail
            continue
        question, answer, program = entry["question"].strip(), entry["answer"], entry["metadata"]["source_index"]
        # Numbers with a fraction depend on how they are rounded.
        if program in programs or not re.fullmatch(r'-?\d+|true|false|"[\w -]+"', answer):
            continue
        if len(question) > LONGEST_CODE or len(answer) > LONGEST_OUTPUT:
            continue
        programs.add(program)
        yield {"id": f"codeio-{program}", "question": question + BOXED, "answer": answer.strip('"'), "family": "codeio"}
        if len(programs) == count:
            return


def main() -> None:
    parser = argparse.ArgumentParser(prog="z1_training.gym", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="file to write, JSON Lines")
    parser.add_argument("--count", type=int, default=25, help="of each task; with --others or --code, in all")
    parser.add_argument("--seed", type=int, default=1)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--others", action="store_true", help="questions of other kinds, to be declined, without answers")
    kind.add_argument("--code", action="store_true", help="what programs of CodeI/O give: questions for a teacher")
    options = parser.parse_args()
    try:
        import reasoning_gym  # noqa: F401
    except ImportError:
        parser.error("needs the package reasoning-gym: pip install reasoning-gym==0.1.19")
    make = other_tasks if options.others else code_tasks if options.code else easy_tasks
    rows = make(options.count, options.seed)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
