"""The two tokenizers against transformers' own."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anymask.core.errors import FormatError, ModelError
from anymask.models.clip.vocabulary import Vocabulary, byte_letters, find_vocabulary
from anymask.text.bpe import BpeTokenizer
from anymask.text.minilm import package_folder
from anymask.text.wordpiece import WordPieceTokenizer
from tests.text.clips import save_vocabulary, small_vocabulary

TEXTS = [
    "a photo of a red bicycle",
    "It's THERE, they've   gone!!!",
    "größe naïve façade 123 45.6",
    "日本語 text — dash… \u00a0wide",
    "dogs' toys (red/green) #1 & 50%",
    "émigré e\u0301",
    "",
]


# Written out, these are special tokens to transformers; to us what a person types is always text.
SPECIAL = ("<|", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]")


def words() -> st.SearchStrategy[str]:
    """Texts of printable characters that both sides' tables of Unicode know."""
    letters = st.characters(max_codepoint=0x24F) | st.sampled_from("日本語кириллицаαβγ'’!?.,-_#…")
    printable = st.text(letters, max_size=30).map(lambda t: "".join(c for c in t if c.isprintable()))
    return printable.filter(lambda t: not any(special in t for special in SPECIAL))


def clip_tokenizer() -> object:
    from transformers import CLIPTokenizer

    vocabulary = small_vocabulary()
    return CLIPTokenizer(vocab=dict(vocabulary.tokens), merges=list(vocabulary.merges))


THEIR_CLIP = clip_tokenizer()


@pytest.mark.parametrize("text", TEXTS)
def test_bpe_equals_transformers(text: str) -> None:
    assert BpeTokenizer(small_vocabulary()).encode(text) == THEIR_CLIP(text)["input_ids"]  # type: ignore[operator]


@given(words())
@settings(max_examples=200, deadline=None)
def test_bpe_equals_transformers_on_any_text(text: str) -> None:
    assert BpeTokenizer(small_vocabulary()).encode(text) == THEIR_CLIP(text)["input_ids"]  # type: ignore[operator]


def test_a_known_word_is_one_token_and_special_names_are_text() -> None:
    tokenizer = BpeTokenizer(small_vocabulary())
    assert len(tokenizer.encode("bicycle")) == 3
    assert len(tokenizer.encode("<|endoftext|>")) > 3


def test_vocabularies_are_the_same_from_every_file(tmp_path: Path) -> None:
    for kind in ("files", "tokenizer", "plain"):
        folder = tmp_path / kind
        folder.mkdir()
        save_vocabulary(folder, kind)
        found = find_vocabulary(folder)
        assert (dict(found.tokens), list(found.merges)) == (
            dict(small_vocabulary().tokens),
            list(small_vocabulary().merges),
        )
        assert Vocabulary.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_every_byte_has_a_printable_letter_of_its_own() -> None:
    letters = byte_letters()
    assert len(set(letters.values())) == 256
    assert all(letter.isprintable() and not letter.isspace() for letter in letters.values())
    assert letters[ord("a")] == "a"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("{", "is not JSON"),
        ('{"model": {"vocab": {"a": 0}, "merges": []}}', "lacks 513 tokens"),
        ('{"model": {"vocab": {"a": -1}, "merges": []}}', "different whole numbers"),
        ('{"model": {"vocab": {}, "merges": ["a b c"]}}', "'s merge is"),
        ("[]", "must be a JSON object"),
    ],
)
def test_broken_vocabularies(content: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(FormatError, match=hint):
        find_vocabulary(tmp_path)


def their_bert() -> object:
    from transformers import BertTokenizer

    return BertTokenizer.from_pretrained(package_folder())


THEIR_BERT = their_bert()


@pytest.mark.parametrize("text", [*TEXTS, "a" * 150, "unaffable"])
def test_wordpiece_equals_transformers(text: str) -> None:
    ours = WordPieceTokenizer.read(package_folder() / "vocab.txt")
    assert ours.encode(text) == THEIR_BERT(text)["input_ids"]  # type: ignore[operator]


@given(words())
@settings(max_examples=200, deadline=None)
def test_wordpiece_equals_transformers_on_any_text(text: str) -> None:
    ours = WordPieceTokenizer.read(package_folder() / "vocab.txt")
    assert ours.encode(text) == THEIR_BERT(unicodedata.normalize("NFC", text))["input_ids"]  # type: ignore[operator]


@pytest.mark.parametrize("special", SPECIAL[1:])
def test_wordpiece_reads_special_tokens_as_text(special: str) -> None:
    ours = WordPieceTokenizer.read(package_folder() / "vocab.txt").encode(f"cup {special} saucer")
    apart = THEIR_BERT(f"cup [ {special[1:-1]} ] saucer")["input_ids"]  # type: ignore[operator]
    assert ours == apart


def test_a_file_that_is_no_vocabulary_of_bert(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(ModelError, match="no vocabulary of BERT"):
        WordPieceTokenizer.read(tmp_path / "vocab.txt")
