import Files
import Foundation
import Hardware
import JSON
import MPI
import Model
import Numerics
import Simulation

/// What the matrix engines make of every product of a model, on one core: measured in turn, so that what else the
/// machine does falls on all.
package struct ShapeTable {
    struct Row {
        let product: ModelProduct
        /// Seconds of one product, by engine: the best of all rounds, since a core is never faster than it is; nil
        /// where the engine can't be used.
        let seconds: [Double?]

        func gflops(_ engine: Int) -> Double? { seconds[engine].map { product.flops / $0 / 1e9 } }
    }

    private let rows: [Row]
    private let model: any Architecture
    private let tokens: Int
    private let engines: [MatrixEngine]
    /// By engine, why it can't be used here.
    private let problems: [String?]
    /// Whether attention uses tiles here whatever the engine.
    private let attentionHasTiles: Bool

    /// Turns that each engine has with each product, and seconds of a turn at the least.
    private static let rounds = 5
    private static let turn = 0.01

    /// - Parameter configuration: validated
    package init(_ configuration: RunConfiguration) throws {
        guard case .none = try Launcher.detect(ProcessInfo.processInfo.environment) else {
            throw ConfigurationError("--shapes measures one core: start it without a launcher")
        }
        model = configuration.resolvedModel
        tokens = configuration.pipeline.slice
        engines = MatrixEngine.allCases
        let precision = model.precision
        let products: [(any MatrixProducts)?]
        (products, problems) = Self.split(
            engines.map { engine in Result { try engine.products(on: Team(), precision: precision) } })
        attentionHasTiles = products.allSatisfy { $0.map { $0.tile != nil } ?? true }
        rows = model.products(tokens: tokens).map { Self.measure($0, products) }
    }

    private static func split(
        _ results: [Result<any MatrixProducts, any Error>]
    ) -> ([(any MatrixProducts)?], [String?]) {
        (results.map { try? $0.get() }, results.map { $0.failure.map { "\($0)" } })
    }

    private static func measure(_ product: ModelProduct, _ engines: [(any MatrixProducts)?]) -> Row {
        let (m, n, k) = (product.rows, product.columns, product.depth)
        let (a, b, c) = (FloatBuffer(m * k), FloatBuffer(k * n), FloatBuffer(m * n))
        for i in 0..<m * k { a.base[i] = Float(i % 13) - 6 }
        for i in 0..<k * n { b.base[i] = Float(i % 7) - 3 }
        c.clear()
        let left = Factor(a.base, stride: product.leftIsTransposed ? m : k, transposed: product.leftIsTransposed)
        let right = Factor(b.base, stride: product.rightIsTransposed ? k : n, transposed: product.rightIsTransposed)
        let result = Destination(c.base, stride: n, adds: product.adds)
        var best = [Double?](repeating: nil, count: engines.count)
        let weights = engines.map { $0?.prepare(right, depth: k, columns: n, reusing: nil) }
        for _ in 0..<rounds {
            for (i, engine) in engines.enumerated() {
                guard let engine, let weight = weights[i] else { continue }
                func multiply() {
                    if product.isPrepared {
                        engine.multiply(left, rows: m, by: weight, to: result)
                    } else {
                        engine.multiply(Product(rows: m, columns: n, depth: k, left, right, to: result), on: 0)
                    }
                }
                let seconds = time(multiply)
                best[i] = min(best[i] ?? seconds, seconds)
            }
        }
        return Row(product: product, seconds: best)
    }

    /// Seconds that this thread computes for one call: of its own time, so that others on the core don't count.
    private static func time(_ body: () -> Void) -> Double {
        var count = 1
        while true {
            let start = ThreadClock.seconds
            for _ in 0..<count { body() }
            let seconds = ThreadClock.seconds - start
            if seconds >= turn { return seconds / Double(count) }
            count = max(count + 1, Int(1.1 * turn / max(seconds, 1e-6) * Double(count)))
        }
    }

    package var text: String {
        let usable = zip(engines, problems).filter { $1 == nil }.map(\.0.description)
        var text = """
            \(Program.line)
            model: \(model.sizes), slices of \(tokens), \(model.precision.rawValue), one core
            GFLOP/s of \(usable.joined(separator: " and of ")), in turn

            """
        var table = TextTable(
            ["product", "direction", "form", "M", "N", "K", "a slice"] + engines.map(\.rawValue)
                + ["openblas / tiles"])
        for row in rows {
            let p = row.product
            let form = "\(p.leftIsTransposed ? "A^T" : "A") \(p.rightIsTransposed ? "B^T" : "B")"
            table.add(
                [p.name, p.direction.rawValue, form, "\(p.rows)", "\(p.columns)", "\(p.depth)", "\(p.count)"]
                    + engines.indices.map { row.gflops($0).map { String(format: "%.1f", $0) } ?? "-" }
                    + [ratio(row.seconds)])
        }
        let totals = totals
        table.add(
            ["all linear maps", "", "", "", "", "", ""]
                + totals.map { $0.map { String(format: "%.1f", linearFlops / $0 / 1e9) } ?? "-" } + [ratio(totals)])
        text += table.text
        if attentionHasTiles {
            text += "With either engine attention is computed by tiles on this CPU.\n"
        }
        for (engine, problem) in zip(engines, problems) {
            if let problem { text += "\(engine.rawValue) is left out: \(problem)\n" }
        }
        return text
    }

    package var json: String {
        JSONText.object([
            ("program", .string(Program.line)), ("precision", .string(model.precision.rawValue)),
            ("tokens", .number(Double(tokens))),
            (
                "engines",
                .object(
                    zip(engines, problems).map { ($0.rawValue, .string($1 ?? $0.description)) })
            ),
            (
                "products",
                .array(
                    rows.map { row in
                        let p = row.product
                        return .object(
                            [
                                ("product", .string(p.name)), ("direction", .string(p.direction.rawValue)),
                                ("m", .number(Double(p.rows))), ("n", .number(Double(p.columns))),
                                ("k", .number(Double(p.depth))), ("count", .number(Double(p.count))),
                            ]
                                + engines.indices.map { i in
                                    ("\(engines[i].rawValue)_gflops", row.gflops(i).map { .number($0) } ?? .null)
                                })
                    })
            ),
        ]).text
    }

    private var linear: [Row] { rows.filter { $0.product.isPrepared || $0.product.direction == .weightGradient } }
    private var linearFlops: Double { linear.reduce(0) { $0 + $1.product.flops } }

    /// By engine, seconds of all products of linear maps.
    private var totals: [Double?] {
        engines.indices.map { i in
            linear.reduce(0) { sum, row in sum.flatMap { sum in row.seconds[i].map { sum + $0 } } }
        }
    }

    /// Of speeds, the second engine's to the first's.
    private func ratio(_ seconds: [Double?]) -> String {
        guard let first = seconds[0], let second = seconds[1] else { return "-" }
        return String(format: "%.2f", first / second)
    }
}
