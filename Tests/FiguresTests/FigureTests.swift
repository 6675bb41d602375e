import Figures
import Testing

@Suite struct FigureTests {
    @Test func `numbers have the digits that say something`() {
        #expect(
            [0, 1.5, 1234.56, 1_234_567, -0.000_123_456].map(\.significant) == [
                "0", "1.5", "1235", "1234567", "-0.0001235",
            ])
        #expect(
            [1e-9, 1.234_56e9, .infinity, -.infinity, .nan].map(\.significant) == [
                "1e-09", "1.235e+09", "inf", "-inf", "nan",
            ])
        #expect([12, 12.25, 99.94, 99.96, 123.4].map(\.brief) == ["12", "12.3", "99.9", "100", "123"])
        #expect(2.5.fixed(3) == "2.500" && Double.infinity.fixed(1) == "inf")
        // All 309 digits of the largest number, and those behind the point.
        #expect(Double.greatestFiniteMagnitude.fixed(9).count == 309 + 1 + 9)
    }

    @Test func `bytes are in the unit that reads best`() {
        #expect(
            [0, 1023, 1024, 1_325_400_064, -2048].map(\.asBytes) == ["0 B", "1023 B", "1 KiB", "1.234 GiB", "-2 KiB"])
        #expect(Int.max.asBytes == "8 EiB")
        #expect([0, 1023, 1024, 1_325_400_064].map(\.asShortBytes) == ["0 B", "1023 B", "1 KiB", "1.2 GiB"])
        #expect(1e30.asShortBytes == "more than any machine has")
        #expect([0.5, 480].map { ($0 * 1_073_741_824).asGibibytes } == ["0.5 GiB", "480 GiB"])
        #expect([1.25e9, 1.25e7].map(\.asBitRate) == ["10 Gbit/s", "100 Mbit/s"])
    }

    @Test func `shares are percentages`() {
        #expect([0, 0.1234, 1, -0.000_01].map(\.asPercentage) == ["0.0 %", "12.3 %", "100.0 %", "0.0 %"])
        #expect([0, 0.126, 1, -0.001].map(\.asWholePercentage) == ["0 %", "13 %", "100 %", "0 %"])
        #expect([0.126, .infinity].map(\.asTersePercentage) == ["13%", "inf"])
    }

    @Test func `times are in the unit that reads best, or as a clock shows them`() {
        #expect(
            [0, 1.5e-6, 0.012, 59, 7200].map(\.asTime) == ["0 s", "1.5 \u{b5}s", "12 ms", "59 s", "2 h"])
        #expect([0, 61.2, 3723, -5, .nan].map(\.asClock) == ["0:00", "1:02", "1:02:03", "0:00", "?"])
        #expect([0.001_25, 1.5].map(\.asMilliseconds) == ["1.3 ms", "1.5 s"] && 2.5e-6.asMicroseconds == "2.5 us")
    }

    @Test func `the median is the middle value`() {
        #expect([3.0, 1, 2].median == 2 && [4.0, 1, 2, 3].median == 2.5 && [Double]().median == nil)
        #expect([1.0, 2, 6].mean == 3 && [Double]().mean == nil)
    }
}
