import Glibc
import Hardware
import Model
import Numerics
import TestSupport
import Testing

@Suite struct InitializerTests {
    private let count = 100_000

    private func values(_ initializer: Initializer, name: String = "a tensor", seed: UInt64 = 1, count: Int) -> [Double]
    {
        var out = [Float](repeating: .nan, count: count)
        initializer.fill(&out, count: count, name: name, seed: seed)
        return doubles(out)
    }

    /// Mean, variance and fourth moment over the variance squared, within five deviations of each estimate.
    private func expectMoments(_ x: [Double], variance: Double, kurtosis: Double) {
        let n = Double(x.count)
        let mean = x.reduce(0, +) / n
        let second = x.reduce(0) { $0 + $1 * $1 } / n
        let fourth = x.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n
        #expect(abs(mean) < 5 * (variance / n).squareRoot())
        #expect(abs(second / variance - 1) < 5 * ((kurtosis - 1) / n).squareRoot())
        #expect(abs(fourth / (second * second) / kurtosis - 1) < 0.05)
    }

    @Test func normal() { expectMoments(values(.normal(0.2), count: count), variance: 0.04, kurtosis: 3) }

    @Test func truncatedNormalStaysWithinThreeDeviations() {
        let x = values(.truncatedNormal(0.5), count: count)
        #expect(x.allSatisfy { abs($0) <= 1.5 })
        #expect(x.contains { abs($0) > 1.4 })
        // Of a normal cut at a = 3: variance 1 - 2 a phi(a) / P, fourth moment 3 - 2 (a^3 + 3 a) phi(a) / P.
        let a = 3.0
        let p = erf(a / 2.0.squareRoot())
        let phi = exp(-a * a / 2) / (2 * Double.pi).squareRoot()
        let variance = 1 - 2 * a * phi / p
        let fourth = 3 - 2 * (a * a * a + 3 * a) * phi / p
        expectMoments(x, variance: 0.25 * variance, kurtosis: fourth / (variance * variance))
    }

    @Test func realNormalHasNoImaginaryPart() {
        let x = values(.realNormal(0.5), count: count)
        #expect(stride(from: 1, to: count, by: 2).allSatisfy { x[$0] == 0 })
        expectMoments(stride(from: 0, to: count, by: 2).map { x[$0] }, variance: 0.25, kurtosis: 3)
    }

    @Test func neighboursAreIndependent() {
        let x = values(.normal(1), count: count)
        for lag in [1, 2, 16] {
            let correlation = zip(x, x.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
            #expect(abs(correlation) < 5 / Double(count).squareRoot())
        }
    }

    @Test(arguments: [2, 3, 16, 192]) func thetaIsAPermutationOfTheFrequencies(D: Int) {
        let x = values(.permutedFrequencies, count: D)
        let found = x.map(sigmoid).sorted(by: >)
        let expected = (1...D).map { exp(-Double($0) * log(Double(D)) / Double(D)) }
        #expect(zip(found, expected).allSatisfy { abs($0 / $1 - 1) < 1e-5 })
        if D > 3 {
            #expect(x != x.sorted() && x != x.sorted(by: >))
            #expect(x != values(.permutedFrequencies, seed: 2, count: D))
        }
    }

    @Test func valuesAreAFunctionOfSeedAndNameAlone() {
        let x = values(.normal(1), count: 10)
        // A longer tensor begins alike; another name or seed has nothing in common.
        #expect(values(.normal(1), count: 100).prefix(10) == x[...])
        #expect(Set(values(.normal(1), name: "b", count: 10)).isDisjoint(with: x))
        #expect(Set(values(.normal(1), seed: 2, count: 10)).isDisjoint(with: x))
    }

    /// Box-Muller in the C library's functions, draw by draw, whatever is computed several at a time.
    @Test func normalNumbersAreThoseOfTheCLibraryBitForBit() {
        // FNV-1a of "w".
        let generator = CounterGenerator(seed: 7, stream: (0xcbf2_9ce4_8422_2325 ^ 0x77) &* 0x100_0000_01b3)
        func draw(_ i: Int) -> Double {
            let u = 1 - generator.uniform(UInt64(2 * i))
            return (-2 * log(u)).squareRoot() * cos(2 * Double.pi * generator.uniform(UInt64(2 * i + 1)))
        }
        func within3(_ i: Int) -> Double { (0...).lazy.map { draw(i + $0 << 40) }.first { abs($0) <= 3 }! }
        for deviation in [0.2, 1 / 3072.0.squareRoot()] {
            var normal = [Float](repeating: .nan, count: 500_003)
            var truncated = normal
            Initializer.normal(deviation).fill(&normal, count: normal.count, name: "w", seed: 7)
            Initializer.truncatedNormal(deviation).fill(&truncated, count: truncated.count, name: "w", seed: 7)
            #expect(normal.indices.allSatisfy { normal[$0].bitPattern == Float(deviation * draw($0)).bitPattern })
            #expect(
                truncated.indices.allSatisfy { truncated[$0].bitPattern == Float(deviation * within3($0)).bitPattern })
        }
    }

    @Test func workersShareTheValuesOut() throws {
        let specs = [
            ParameterSpec("a", [300, 101], .normal(0.1)), ParameterSpec("b", [5000], .constant(2)),
            ParameterSpec("c", [91, 100], .truncatedNormal(1)), ParameterSpec("d", [10_000], .realNormal(1)),
            ParameterSpec("e", [9000], .permutedFrequencies),
        ]
        try withTeam(of: 3) { team in
            let (alone, shared) = (ParameterStore(specs), ParameterStore(specs))
            alone.initialize(seed: 3, Team(serial: ()))
            shared.initialize(seed: 3, team)
            let (a, b) = (alone.values.base, shared.values.base)
            #expect((0..<alone.values.count).allSatisfy { a[$0].bitPattern == b[$0].bitPattern })
        }
    }

    @Test func everyLayoutOfStagesStartsAlike() {
        for tied in [false, true] {
            let c = SmallModel { $0.tieEmbeddings = tied }.configuration
            let specs = c.parts.flatMap { c.describe($0).parameters }
            let together = ParameterStore(specs)
            together.initialize(seed: 9, Team(serial: ()))
            for part in c.parts.reversed() {
                let alone = ParameterStore(c.describe(part).parameters.reversed(), trains: false)
                alone.initialize(seed: 9, Team(serial: ()))
                for entry in alone.entries {
                    let (found, expected) = (alone.value(entry.spec.name)!, together.value(entry.spec.name)!)
                    #expect((0..<entry.count).allSatisfy { found[$0].bitPattern == expected[$0].bitPattern })
                }
            }
            if tied {
                let (copy, original) = (
                    together.value(OutputLayer.tiedName)!, together.value(GeckoConfiguration.embeddingWeight)!
                )
                #expect((0..<c.vocabulary * c.dim).allSatisfy { copy[$0] == original[$0] })
            }
        }
    }

    /// GECKO.md, Initialisation.
    @Test func theModelsTensorsStartAsTheReferencesDo() {
        let c = SmallModel { $0.rescaleNFFN = true }.configuration
        func he(_ fanIn: Int) -> Double { (2.0 / 6).squareRoot() / Double(fanIn).squareRoot() }
        let specs = Dictionary(
            uniqueKeysWithValues: c.parts.flatMap { c.describe($0).parameters }.map { ($0.name, $0) })
        func deviation(_ name: String) -> Double? {
            switch specs[name]?.initializer {
            case .normal(let x), .realNormal(let x), .truncatedNormal(let x): x
            default: nil
            }
        }
        let layer = "layers.1."
        for (names, fanIn) in [
            (["mega.wv", "mega.wz", "mega.wr", "mega.wh1", "nffn.fc1", "nffn.fc3"], c.dim), (["mega.wh2"], c.valueDim),
            (["nffn.fc2"], c.ffnDim),
        ] {
            for name in names {
                let found = deviation(layer + name + ".weight")
                #expect(found.map { abs($0 / he(fanIn) - 1) < 1e-12 } ?? false, "\(name)")
                #expect(specs[layer + name + ".weight"]?.decays == true)
            }
        }
        for name in [GeckoConfiguration.embeddingWeight, OutputLayer.weightName] {
            #expect(specs[name]?.initializer == .truncatedNormal(1 / Double(c.dim).squareRoot()))
            #expect(specs[name]?.decays == true)
        }
        #expect(deviation(layer + "mega.cema.alpha") == 0.2 && deviation(layer + "mega.cema.delta") == 0.2)
        #expect(specs[layer + "mega.cema.gamma"]?.initializer == .realNormal(1 / Double(c.emaDim).squareRoot()))
        #expect(specs[layer + "mega.cema.theta"]?.initializer == .permutedFrequencies)
        #expect(specs["layers.0.nffn.alpha"]?.initializer == .constant(0.1))
        #expect(specs["layers.1.nffn.alpha"]?.initializer == .constant(0.05))
        let zeros = [
            "mega.timenorm.weight", "mega.timenorm.bias", "mega.rmsnorm.weight", "mega.wv.bias", "mega.wz.bias",
            "mega.wr.bias", "mega.wh1.bias", "mega.gamma", "mega.beta", "nffn.norm.weight", "nffn.norm.bias",
        ]
        for name in zeros {
            #expect(specs[layer + name]?.initializer == .constant(0), "\(name)")
            #expect(specs[layer + name]?.decays == false)
        }
    }
}
