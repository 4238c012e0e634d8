"""What machines read of the benchmark."""

from benchmarks.measure import Measured
from benchmarks.report import machine_line, native_over_openvino


def test_the_last_line_has_its_form() -> None:
    measured = Measured()
    for name, values in {
        "whole, Spleeter": [24.0, 26.0, 20.0],
        "whole": [3.0, 2.5, 2.5],  # ratios of neighbours: 8.0, 10.4, 8.0
        "warm, Spleeter": [10.0],
        "warm": [1.5],
        "warm MB": [511.6],
        "pipeline, 4stems": [7.94],
        "2stems mp3": [4.0],
        "2stems wav": [1.6],
        "whole, load": [0.61],
        "2stems, everything, cpu_s": [3.0, 3.2, 3.6],  # a minute; of two stems half as much
        "4stems, everything, cpu_s": [6.0],
        "4stems, stems alone, seconds": [4.0, 5.0, 4.0],
        "4stems, everything, seconds": [8.0, 9.0, 7.0],  # ratios of neighbours: 2.0, 1.8, 1.75
        "4stems, player, seconds": [4.2, 5.5, 4.8],
        "4stems, everything, MB": [702.3],
        "openvino, avx512, 2, network": [0.11, 0.12, 0.10],
        "native, avx512, 2, network": [0.05, 0.06, 0.05],  # ratios of neighbours: 2.2, 2.0, 2.0
        "openvino, avx2, 2, network": [0.3],
        "native, avx2, 2, network": [0.2],
    }.items():
        for value in values:
            measured.add(name, value)
    measured.compared = [("avx512", 1), ("avx512", 2), ("avx2", 1), ("avx2", 2)]
    assert machine_line(measured) == (
        "bench: cold=8.0x warm=6.7x rss_mb=512 song4_s=7.9 mp3=2.5x load_s=0.6 analysis2_cpu_s=1.60 "
        "analysis4_cpu_s=1.50 analysis_ratio=1.80x player_ratio=1.10x analysis_mb=702 native=2.00x"
    )


def test_where_nothing_is_compiled_there_is_nothing_to_compare() -> None:
    assert native_over_openvino(Measured()) == "none"
