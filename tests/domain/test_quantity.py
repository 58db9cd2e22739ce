from gruenpuls.domain.quantity import QUANTITIES, Quantity


def test_every_quantity_says_what_it_is_in_both_languages_and_where_it_ends() -> None:
    for name, quantity in QUANTITIES.items():
        assert name == quantity.name
        assert quantity.unit
        assert quantity.english
        assert quantity.german
        assert quantity.minimum < quantity.maximum


def test_no_name_stands_twice() -> None:
    english: dict[str, Quantity] = {}
    for quantity in QUANTITIES.values():
        assert quantity.english not in english
        english[quantity.english] = quantity
