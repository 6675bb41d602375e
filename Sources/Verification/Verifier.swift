import Foundation
import Hardware
import Model
import Numerics

/// Runs every case of every golden file in a directory. Which cases a file has, its architecture knows: the one that
/// its metadata names under `architecture`, or the program's first.
package struct Verifier {
    private let matrices: any MatrixProducts
    private let architectures: Architectures

    package init(team: Team, architectures: Architectures = .known) {
        self.init(TileProducts(team), architectures: architectures)
    }

    /// For the matrix products of this engine, float32.
    package init(_ matrices: any MatrixProducts, architectures: Architectures = .known) {
        self.matrices = matrices
        self.architectures = architectures
    }

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
                """
                '\(directory)' holds no .safetensors files; give a directory of golden data, such as \
                Tests/ModelTests/Fixtures
                """
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
                """
                '\(directory)' holds parameters only; put golden data beside them: model_X_plain, _packed, _decode \
                or _adamw
                """
            )
        }
    }

    private func verify(_ name: String, in directory: String, all: Set<String>, _ visit: (CaseReport) -> Void) {
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
        do {
            for next in try cases(of: file, in: directory, all: all) { attempt(next.name, next.run) }
        } catch {
            attempt("open") { _ in throw error }
        }
    }

    private func cases(of file: GoldenFile, in directory: String, all: Set<String>) throws -> [GoldenCase] {
        let named = file.architecture
        guard let architecture = named.map(architectures.named) ?? architectures.standard else {
            throw VerificationError(
                "\(file.name): no architecture is called '\(named ?? "")'; known are "
                    + architectures.names.joined(separator: ", ")
            )
        }
        return try architecture.goldenCases(
            of: file,
            companion: { name in
                guard all.contains(name) else { throw VerificationError("\(file.name): needs \(name) beside it") }
                return try GoldenFile(path: directory + "/" + name)
            }, matrices: matrices)
    }
}
