"""The picture that plays its steps by itself."""

import re
from xml.dom import minidom

import pytest

import autotiny as at


def texts(svg):
    return [
        "".join(part.data for part in text.childNodes) for text in minidom.parseString(svg).getElementsByTagName("text")
    ]


@pytest.mark.parametrize("name", ["square", "flagship", "hostile"])
def test_playing_picture_is_well_formed_and_has_every_step(name, request):
    steps = at.draw(request.getfixturevalue(name)).steps
    told = texts(steps.svg)
    assert [f"{k}/{len(steps.steps)}" in told for k in range(1, len(steps.steps) + 1)] == [True] * len(steps.steps)


def test_ids_are_unique(flagship):
    ids = re.findall(r'\bid="([^"]+)"', at.draw(flagship).steps.svg)
    assert len(ids) == len(set(ids))


def test_every_rule_is_about_a_part_that_is_there(flagship):
    svg = at.draw(flagship).steps.svg
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    assert set(re.findall(r"^#([\w-]+)", svg, re.MULTILINE)) <= ids
    assert set(re.findall(r"animation:([\w-]+) ", svg)) == set(re.findall(r"@keyframes ([\w-]+)", svg))


def test_moments_lie_between_start_and_end(flagship):
    moments = [float(moment) for moment in re.findall(r"[{}]([\d.]+)%\{", at.draw(flagship).steps.svg)]
    assert min(moments) == 0
    assert max(moments) < 100


def test_reduced_motion_shows_everything_at_once(square):
    svg = at.draw(square).steps.svg
    assert "@media(prefers-reduced-motion:reduce){svg.autotiny *{animation:none!important}}" in svg
    captions = re.findall(r'<g id="\w+-t\d+"( opacity="0")?>', svg)
    assert captions == [' opacity="0"'] * (len(captions) - 1) + [""]


def test_long_captions_are_cut_to_the_width(hostile):
    assert max(map(len, texts(at.draw(hostile).steps.svg))) < 400


def test_playing_picture_is_the_same_in_every_run(square):
    assert at.draw(square).steps.svg == at.draw(square).steps.svg
