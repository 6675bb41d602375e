import Checkpoints
import Foundation
import Hardware
import Model
import Verification

/// A folder of golden data made from the public fixtures, some of it changed; removed when the value goes away.
final class GoldenFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("golden-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The repository's folder of golden data.
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ModelTests/Fixtures").path

    static func fixture(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile("\(fixtures)/\(name).safetensors")
    }

    /// What happens to a tensor on the way.
    enum Change {
        case keep, leaveOut
        /// The first axis loses its last item; a single one goes and leaves nothing.
        case shorten
        /// One value, in the middle, moves by `by` times the tensor's largest entry (integers by one).
        case perturb(by: Float)
    }

    /// Copies a fixture, without its suffix, tensor by tensor.
    func copy(
        _ name: String, as other: String? = nil, _ changes: (String) -> Change = { _ in .keep },
        metadata change: (inout [String: String]) -> Void = { _ in }
    ) throws {
        let file = try Self.fixture(name)
        var metadata = file.metadata
        change(&metadata)
        let kept = try file.names.filter { if case .leaveOut = changes($0) { false } else { true } }
            .map { try file.entry($0) }
        let declarations = kept.map { entry in
            var shape = entry.shape
            if case .shorten = changes(entry.name) { shape = [max(0, (shape.first ?? 1) - 1)] + shape.dropFirst() }
            return SafetensorsWriter.Declaration(entry.name, entry.type, shape)
        }
        let writer = try SafetensorsWriter(
            "\(path)/\(other ?? name).safetensors", declarations, metadata: metadata)
        for (entry, declared) in zip(kept, declarations) {
            var bytes = try file.withBytes(entry.name) { Array($0) }
            if case .perturb(let by) = changes(entry.name), entry.count > 0 {
                Self.perturb(&bytes, entry, by)
            }
            let count = declared.shape.reduce(entry.type.size, *)
            try bytes.prefix(count).withUnsafeBytes { try writer.write(entry.name, $0) }
        }
        try writer.finish()
    }

    private static func perturb(_ bytes: inout [UInt8], _ entry: TensorEntry, _ by: Float) {
        bytes.withUnsafeMutableBytes { bytes in
            switch entry.type {
            case .float32:
                let values = bytes.bindMemory(to: Float.self)
                let largest = values.filter(\.isFinite).map(abs).max() ?? 0
                // An infinite entry becomes finite.
                let middle = values[values.count / 2]
                values[values.count / 2] = middle.isFinite ? middle + by * (largest > 0 ? largest : 1) : 0
            case .int32:
                bytes.bindMemory(to: Int32.self)[entry.count / 2] += 1
            default:
                bytes[bytes.count / 2] ^= 1
            }
        }
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Every case's report.
    func verify() throws -> [CaseReport] { try Self.verify(path) }

    static func verify(_ path: String) throws -> [CaseReport] {
        var reports: [CaseReport] = []
        try Verifier(team: Team()).run(directory: path) { reports.append($0) }
        return reports
    }
}
