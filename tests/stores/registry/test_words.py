import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.stores.registry.words import Words

_COLUMN = st.lists(st.sampled_from(["", "a", "b", "Ballen"]), max_size=20)


@given(_COLUMN, st.sampled_from(["", "a", "elsewhere"]))
def test_a_column_of_words_answers_as_an_array_of_them_does(column: list[str], word: str) -> None:
    words, array = Words.of(column), np.array(column, "U")
    assert len(words) == len(array)
    assert (words == word).tolist() == (array == word).tolist()
    assert (words != word).tolist() == (array != word).tolist()
    assert words.among({word, "b"}).tolist() == np.isin(array, [word, "b"]).tolist()
    assert words.distinct() == np.unique(array).tolist()
    places = np.arange(len(column))[::-1]
    assert words[places].tolist() == array[places].tolist()
    assert words[words == word].tolist() == array[array == word].tolist()
    assert [words[place] for place in range(len(words))] == column


@given(_COLUMN, _COLUMN)
def test_joined_columns_are_one_after_the_other(first: list[str], second: list[str]) -> None:
    one, other = Words.of(first), Words.of(second)
    assert Words.joined([one, other]).tolist() == first + second
    some = one.among(["a"])
    assert Words.joined([other, one[some], one]).tolist() == second + ["a"] * int(some.sum()) + first
    assert Words.joined([]).tolist() == []
