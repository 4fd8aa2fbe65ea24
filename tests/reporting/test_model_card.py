import re


def test_the_model_card_has_its_headings_and_is_filled(ordinary):
    card = ordinary.page.partition('<section id="card">')[2].partition("</section>")[0]
    assert re.findall(r"<h3>(.*?)</h3>", card) == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]
    assert "into 5 classes: “ASPHALT”, “BALLAST”" in card
    assert "123,456 parameters" in card
