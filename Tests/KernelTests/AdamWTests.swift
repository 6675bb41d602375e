import Glibc
import Hardware
import Numerics
import TestSupport
import Testing

@Suite struct AdamWTests {
    private let adam = AdamW(beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1)

    private struct Tensor {
        var values: [Float]
        var gradient: [Float] = []
        var first, second: [Float]

        mutating func update(_ adam: AdamW, _ team: Team, _ step: AdamW.Step, decays: Bool) {
            let count = values.count
            values.withUnsafeMutableBufferPointer { values in
                first.withUnsafeMutableBufferPointer { first in
                    second.withUnsafeMutableBufferPointer { second in
                        gradient.withUnsafeBufferPointer { gradient in
                            adam.update(
                                team,
                                AdamW.Tensor(
                                    values: values.baseAddress!, gradient: gradient.baseAddress!,
                                    first: first.baseAddress!, second: second.baseAddress!, count: count,
                                    decays: decays), step)
                        }
                    }
                }
            }
        }
    }

    private func steps(_ count: Int, _ steps: Int, decays: Bool, team: Team) -> Tensor {
        var noise = Noise(301)
        var tensor = Tensor(
            values: noise.floats(count), first: [Float](repeating: 0, count: count),
            second: [Float](repeating: 0, count: count))
        for step in 1...steps {
            tensor.gradient = noise.floats(count)
            tensor.update(adam, team, AdamW.Step(number: step, rate: 1e-2, clip: 0.5), decays: decays)
        }
        return tensor
    }

    /// The paper's algorithm, weight by weight.
    private func reference(_ count: Int, _ steps: Int, decays: Bool) -> [Double] {
        var noise = Noise(301)
        var p = doubles(noise.floats(count))
        var m = [Double](repeating: 0, count: count)
        var v = m
        for step in 1...steps {
            let gradient = noise.floats(count)
            for i in 0..<count {
                let g = 0.5 * Double(gradient[i])
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.95 * v[i] + 0.05 * g * g
                let mhat = m[i] / (1 - pow(0.9, Double(step)))
                let vhat = v[i] / (1 - pow(0.95, Double(step)))
                p[i] = p[i] * (1 - (decays ? 1e-2 * 0.1 : 0)) - 1e-2 * mhat / (vhat.squareRoot() + 1e-8)
            }
        }
        return p
    }

    @Test(arguments: [true, false]) func severalStepsFollowTheAlgorithm(decays: Bool) {
        let found = steps(37, 5, decays: decays, team: Team())
        #expect(deviation(doubles(found.values), from: reference(37, 5, decays: decays)) < 1e-6)
    }

    @Test func theFirstStepIsTheRateWhateverTheGradientsSize() {
        var tensor = Tensor(values: [0, 0], gradient: [1e-3, -50], first: [0, 0], second: [0, 0])
        tensor.update(adam, Team(), AdamW.Step(number: 1, rate: 0.01, clip: 1), decays: false)
        #expect(abs(tensor.values[0] + 0.01) < 1e-6 && abs(tensor.values[1] - 0.01) < 1e-6)
    }

    @Test(arguments: [1, 15, 4096, 4097, 20_003])
    func anyNumberOfWorkersGivesTheSameBits(count: Int) throws {
        let alone = steps(count, 2, decays: true, team: Team()).values.map(\.bitPattern)
        for workers in [2, 3, 5] {
            try withTeam(of: workers) { team in
                #expect(steps(count, 2, decays: true, team: team).values.map(\.bitPattern) == alone)
            }
        }
    }
}
