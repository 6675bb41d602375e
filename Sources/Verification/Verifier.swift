import Foundation
import Hardware
import Numerics

/// Runs every case of every golden file in a directory: operations (`op_NAME`), layers (`layer`), models (`model_X_params` with
/// `model_X_plain`, `_packed`, `_decode`, `_adamw`). Names, shapes and hyperparameters come from the files.
package struct Verifier {
    private let matrices: any MatrixProducts

    package init(team: Team) { self.init(TileProducts(team)) }

    /// For the matrix products of this engine, float32.
    package init(_ matrices: any MatrixProducts) { self.matrices = matrices }

    /// Calls `visit` with each case as it finishes. Throws when the directory holds nothing to verify.
    package func run(directory: String, visit: (CaseReport) -> Void) throws {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw VerificationError("cannot read the directory '\(directory)': \(error.localizedDescription)")
        }
        let files = entries.filter { $0.hasSuffix(".safetensors") }.sorted()
        guard !files.isEmpty else {
            throw VerificationError(
                "'\(directory)' holds no .safetensors files; give a directory of golden data, such as Tests/ModelTests/Fixtures"
            )
        }
        var isEmpty = true
        for name in files {
            verify(name, in: directory, all: Set(files)) { report in
                isEmpty = false
                visit(report)
            }
        }
        if isEmpty {
            throw VerificationError(
                "'\(directory)' holds parameters only; put golden data beside them: model_X_plain, _packed, _decode or _adamw"
            )
        }
    }

    private func verify(_ name: String, in directory: String, all: Set<String>, _ visit: (CaseReport) -> Void) {
        let stem = String(name.dropLast(".safetensors".count))
        func attempt(_ title: String, _ body: (inout CaseReport) throws -> Void) {
            var report = CaseReport(file: name, name: title)
            do {
                try body(&report)
                if report.tensors == 0 && report.failure == nil { report.failure = "nothing to compare" }
            } catch {
                report.failure = "\(error)"
            }
            visit(report)
        }
        let file: GoldenFile
        do {
            file = try GoldenFile(path: directory + "/" + name)
        } catch {
            attempt("open") { _ in throw error }
            return
        }
        if file.names.isEmpty {
            attempt("open") { _ in throw VerificationError("\(name): the file holds no tensors") }
            return
        }
        if stem.hasPrefix("op_") {
            let operation = String(stem.dropFirst(3))
            let operations = Operations(file: file, matrices: matrices)
            for c in file.cases { attempt(c) { try operations.run(operation, case: c, &$0) } }
            return
        }
        if stem == "layer" || stem.hasPrefix("layer_") {
            let layers = Layers(file: file, matrices: matrices)
            for c in file.cases { attempt(c) { try layers.run(c, &$0) } }
            return
        }
        let parts = stem.split(separator: "_")
        guard parts.count >= 3, parts[0] == "model" else {
            attempt("open") { _ in
                throw VerificationError(
                    "\(name): unknown kind of golden file; names are op_NAME, layer, model_X_params, _plain, _packed, _decode, _adamw"
                )
            }
            return
        }
        let kind = parts[parts.count - 1]
        if kind == "params" { return }
        let parameters = parts.dropLast().joined(separator: "_") + "_params.safetensors"
        let models: Models
        do {
            guard all.contains(parameters) else {
                throw VerificationError("\(name): needs \(parameters) beside it")
            }
            models = Models(
                file: file, parameters: try GoldenFile(path: directory + "/" + parameters), matrices: matrices)
        } catch {
            attempt("open") { _ in throw error }
            return
        }
        switch kind {
        case "plain", "packed":
            do {
                for cut in try models.cuts() { attempt(cut.name) { try models.sequence(cut, &$0) } }
            } catch {
                attempt("cuts") { _ in throw error }
            }
        case "decode":
            attempt("greedy") { try models.decode(&$0) }
            if file.has("in.forced") { attempt("forced") { try models.forced(&$0) } }
        case "adamw": attempt("trajectory") { try models.adamW(&$0) }
        default:
            attempt("open") { _ in
                throw VerificationError("\(name): unknown kind '\(kind)' of a model's golden file")
            }
        }
    }
}
