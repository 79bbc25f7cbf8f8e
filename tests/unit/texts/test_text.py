"""Texts and messages."""

import json

from ncr_exporter.texts.text import Message, Text, is_in, translated

IMAGES = Text("{n:,} images", "이미지 {n:,}개", "{n:,} image")
WITHIN = Text("in {place}: {what}", "{place}: {what}")


def test_a_text_is_said_in_either_language_with_its_values() -> None:
    assert [IMAGES.said("en", n=number) for number in (0, 1, 3000)] == [
        "0 images",
        "1 image",
        "3,000 images",
    ]
    assert [IMAGES.said("ko", n=number) for number in (1, 3000)] == ["이미지 1개", "이미지 3,000개"]


def test_a_message_is_english_wherever_text_is_wanted() -> None:
    message = IMAGES(n=2)
    assert message == "2 images"
    assert {"2 images": 1}[message] == 1
    assert json.dumps([message]) == '["2 images"]'
    assert str(ValueError(message)) == "2 images"


def test_a_message_can_be_said_in_another_language_later() -> None:
    assert translated(IMAGES(n=2), "ko") == "이미지 2개"
    assert translated(ValueError(IMAGES(n=2)).args[0], "ko") == "이미지 2개"
    assert translated(IMAGES(n=2), "en") == "2 images"


def test_a_message_within_a_message_is_said_in_the_same_language() -> None:
    message = WITHIN(place="app", what=IMAGES(n=1))
    assert message == "in app: 1 image"
    assert translated(message, "ko") == "app: 이미지 1개"


def test_what_others_said_stays_as_it_is() -> None:
    assert translated("Permission Denied", "ko") == "Permission Denied"
    assert [is_in("Permission Denied", language) for language in ("en", "ko")] == [True, False]
    assert is_in(IMAGES(n=2), "ko")


def test_values_are_never_read_as_placeholders() -> None:
    message = Message(WITHIN, {"place": "{what}", "what": "{0}%s"})
    assert [message, translated(message, "ko")] == ["in {what}: {0}%s", "{what}: {0}%s"]
