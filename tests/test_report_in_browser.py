"""The page of a run as a browser shows it: clicks, widths, console."""

import re

import browser
import fabricated
import pandas as pd
import pytest

CLICKS = """
const texts = (all) => [...all].map((one) => one.textContent.trim());
const click = (table, head) => [...table.querySelectorAll("thead button")]
  .find((one) => one.textContent.trim() === head).click();
const found = {};
const table = document.querySelector("#classes table");
const column = (n) => texts(table.querySelectorAll(`tbody tr > :nth-child(${n})`));
click(table, "F1"); found.falling = column(5);
click(table, "F1"); found.rising = column(5);
click(table, "Class"); found.names = column(1);
found.sorted = [...table.querySelectorAll("[aria-sort]")].map((one) => one.ariaSort);
found.averages = texts(table.querySelectorAll("tfoot th"));

const card = document.querySelector("#data .card"), dialog = document.querySelector("dialog");
document.querySelectorAll("#data details").forEach((one) => { one.open = true; });
const source = (one) => one.querySelector("img").src;
card.querySelector("img").click();
found.enlarged = [dialog.open, source(dialog) === source(card)];
dialog.click(); found.closed = !dialog.open;

const seen = (name) => document.querySelector(name).checkVisibility();
found.matrix = [seen(".counts"), seen(".shares")];
document.querySelector("label[for=as-shares]").click();
found.matrix.push(seen(".counts"), seen(".shares"));
const epochs = () => [...document.querySelectorAll(".epochs tbody tr")]
  .filter((one) => one.checkVisibility()).length;
found.epochs = [epochs()];
document.querySelector("#all-epochs").click();
found.epochs.push(epochs());
return found;
"""


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    """The page of a run with classes of hostile names, one of them without test images."""
    return pages(tmp_path_factory, fabricated.EVIL, empty=["012"], per_class=25, right=0.8)


def pages(factory, names, **options):
    folder = factory.mktemp("run")
    paths = fabricated.run(folder, names=names, **options)
    fabricated.write_measurements(folder)
    return fabricated.report_again(folder, paths)[0], folder


def report(run):
    return run[1] / "plots/report.html"


def written(page, folder):
    """The file of a page in another folder."""
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    return file


@pytest.fixture(scope="module")
def clicked(evil, page_at):
    opened = page_at(report(evil))
    return opened.result(CLICKS), opened.console


def test_a_click_sorts_by_number_missing_values_last(clicked, evil):
    found, _ = clicked
    table = pd.read_csv(evil[1] / "plots/evaluation_summary.csv", keep_default_na=False)
    f1 = pd.to_numeric(table["f1"][:-2]).dropna().sort_values()
    assert found["rising"] == [f"{value:.3f}" for value in f1] + ["n/a"]
    assert found["falling"] == [f"{value:.3f}" for value in f1[::-1]] + ["n/a"]
    assert found["averages"] == ["macro avg", "weighted avg"]  # stay below


def test_names_sort_as_text_and_the_column_says_so(clicked):
    names = [name.split("\n")[0] for name in clicked[0]["names"]]
    assert names.index("012") < names.index("NA") < names.index('NO, "quoted"')
    assert clicked[0]["sorted"] == ["ascending"]


def test_a_picture_is_enlarged_by_a_click_and_closed_by_another(clicked):
    assert clicked[0]["enlarged"] == [True, True]
    assert clicked[0]["closed"]


def test_matrix_toggles_shares_and_table_all_epochs(clicked):
    assert clicked[0]["matrix"] == [True, False, False, True]
    some, every = clicked[0]["epochs"]
    assert 8 <= some < every == 27


def test_no_script_of_the_data_runs_and_the_console_stays_empty(clicked):
    assert clicked[1] == []


@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_nothing_overflows_and_nothing_is_fetched(evil, page_at, width):
    check_width(page_at(report(evil), width))


@pytest.fixture(scope="module")
def signs(tmp_path_factory):
    return pages(tmp_path_factory, fabricated.SIGNS, per_class=10)


@pytest.mark.parametrize("width", [400, 1600])
def test_many_classes_fit_too(signs, page_at, width):
    check_width(page_at(report(signs), width))


def test_two_classes_fit_too(tmp_path_factory, page_at):
    run = pages(tmp_path_factory, fabricated.SIGNS[:2], per_class=10)
    check_width(page_at(report(run), 1000))


def check_width(opened):
    found = opened.result(browser.WIDTH)
    assert found["page"] <= found["inner"]
    assert found["wide"] == []
    assert set(opened.requests) <= {"report_context.js"}
    assert opened.page.title() == "Track bed under rails"
    assert opened.page.locator("script").count() == 5  # three of data, two of its own
    assert opened.console == []


CONTEXT = """
const part = (name) => document.querySelector(`[data-context=${name}]`).textContent.trim();
const names = ["revision", "times", "others", "machine"];
return Object.fromEntries(names.map((one) => [one, part(one)]));
"""


def test_measurements_come_from_the_file_beside_the_page(evil, page_at):
    opened = page_at(report(evil))
    found = opened.result(CONTEXT)
    assert found["revision"] == ", revision unknown"
    assert "median 4.2 s an epoch" in found["times"]
    assert "The repository held no other run" in found["others"]
    assert re.search(r"memory\s*\d+ GiB", found["machine"])
    assert opened.console == []


def test_without_that_file_the_page_names_it(evil, page_at, tmp_path):
    found = page_at(written(evil[0], tmp_path)).result(CONTEXT)
    assert found["revision"] == ""
    assert found["times"].startswith("Seconds, images per second and memory: in report_context.js")


def test_the_file_of_another_page_is_not_shown(evil, page_at, tmp_path):
    text = (evil[1] / "plots/report_context.js").read_text("utf-8")
    (tmp_path / "report_context.js").write_text(re.sub('"page": "..', '"page": "--', text))
    found = page_at(written(evil[0], tmp_path)).result(CONTEXT)
    assert found["times"] == "report_context.js beside this page belongs to another."
    assert found["revision"] == ""


def test_any_other_script_is_refused_by_the_policy(evil, page_at, tmp_path):
    page = evil[0] + "<script>document.title = 'taken over'</script>"
    opened = page_at(written(page, tmp_path))
    assert opened.page.title() == "Track bed under rails"
    assert any("Content Security Policy" in line for line in opened.console)


def test_without_script_everything_is_there(evil, page_at):
    found = page_at(report(evil), java_script_enabled=False).result(
        """return [document.querySelectorAll("#gallery .card").length,
        document.querySelector(".filters").checkVisibility(),
        document.querySelectorAll("thead button").length,
        document.querySelector("#classes tbody").rows.length,
        document.querySelector("#map-plain").checkVisibility()]"""
    )
    assert found == [24, False, 0, 6, True]
