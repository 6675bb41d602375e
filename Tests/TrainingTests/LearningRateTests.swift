import Testing
import Training

@Suite struct LearningRateTests {
    private func rates(_ rate: LearningRate, _ steps: [Int]) -> [Double] { steps.map { rate.rate(step: $0) } }

    private func expect(_ found: [Double], _ expected: [Double]) {
        #expect(found.count == expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-12, "\(found) against \(expected)") }
    }

    @Test func `warm-up rises in equal steps to the peak`() {
        for shape in LearningRate.Shape.allCases {
            let rate = LearningRate(
                shape: shape, peak: 0.4, minimumRatio: 0.1, warmup: 4, steps: 100, decayFraction: 0.2)
            expect(rates(rate, [0, 1, 2, 3]), [0.1, 0.2, 0.3, 0.4])
        }
    }

    @Test func `the cosine has its known points`() {
        let rate = LearningRate(
            shape: .cosine, peak: 1, minimumRatio: 0.2, warmup: 1, steps: 9, decayFraction: 0.2)
        // Halfway: the mean of peak and minimum. A quarter: minimum + (1 - minimum) (1 + sqrt(1/2)) / 2.
        expect(rates(rate, [0, 4, 8, 20]), [1, 0.6, 0.2, 0.2])
        expect(rates(rate, [2, 6]), [0.8828427124746191, 0.31715728752538097])
    }

    @Test func `warmup-stable-decay holds the peak and falls in a line`() {
        let rate = LearningRate(shape: .wsd, peak: 1, minimumRatio: 0, warmup: 2, steps: 10, decayFraction: 0.4)
        expect(rates(rate, Array(0..<10)), [0.5, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0])
        let whole = LearningRate(shape: .wsd, peak: 1, minimumRatio: 0.5, warmup: 0, steps: 4, decayFraction: 1)
        expect(rates(whole, Array(0..<4)), [0.875, 0.75, 0.625, 0.5])
        let none = LearningRate(shape: .wsd, peak: 1, minimumRatio: 0.5, warmup: 0, steps: 4, decayFraction: 0)
        expect(rates(none, Array(0..<4)), [1, 1, 1, 1])
    }

    @Test func `constant stays`() {
        let rate = LearningRate(shape: .constant, peak: 3, minimumRatio: 0, warmup: 0, steps: 5, decayFraction: 0)
        expect(rates(rate, [0, 4, 100]), [3, 3, 3])
    }

    @Test(arguments: LearningRate.Shape.allCases, [(0, 1), (1, 1), (5, 3), (3, 3), (2, 3)])
    func `short runs give finite rates up to the peak`(shape: LearningRate.Shape, sizes: (Int, Int)) {
        let rate = LearningRate(
            shape: shape, peak: 1, minimumRatio: 0.1, warmup: sizes.0, steps: sizes.1, decayFraction: 0.5)
        for step in 0..<8 {
            let value = rate.rate(step: step)
            #expect(value > 0 && value <= 1)
        }
    }

    @Test func `takes its settings from the configuration`() throws {
        let configuration = try RunConfiguration.load(
            file: nil, overrides: ["--optimizer.schedule=wsd", "--optimizer.warmup=5", "--training.steps=50"])
        #expect(
            LearningRate(configuration)
                == LearningRate(
                    shape: .wsd, peak: 2e-3, minimumRatio: 0.1, warmup: 5, steps: 50, decayFraction: 0.2))
    }

    @Test(arguments: [(3, 100, "at 3 %"), (20, 20, "at 100 %"), (1, 20, "at 5 %")])
    func `a run that ends within its warm-up is told so`(steps: Int, warmup: Int, share: String) {
        func rate(_ warmup: Int) -> LearningRate {
            LearningRate(
                shape: .cosine, peak: 2e-3, minimumRatio: 0.1, warmup: warmup, steps: steps, decayFraction: 0.1)
        }
        #expect(rate(warmup).note?.contains(share) == true, "\(rate(warmup).note ?? "")")
        #expect(rate(warmup).note?.contains("optimizer.warmup") == true)
        #expect(rate(steps - 1).note == nil && rate(0).note == nil)
    }
}
