import Foundation
import TestSupport
import Testing

/// No kernel may come to need more instructions than the repository has on record. The counts don't depend on the
/// machine or its load; they belong to the AVX2 level, the highest that valgrind knows.
///
/// After a change that is meant: UPDATE_INSTRUCTION_COUNTS=1 swift test -c release --filter InstructionCountTests
@Suite(
    .enabled(
        if: Mpirun.programs.lastPathComponent == "release" && isX86,
        "the counts on record are those of release builds for x86-64"))
struct InstructionCountTests {
    /// By how much a count may pass the record: with the compiler that made it, and with another.
    private static let tolerance = (same: 0.01, other: 0.25)
    private static let record = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("InstructionCounts.txt")

    @Test func noKernelNeedsMoreThanBefore() throws {
        let found = try count()
        let version = try compiler()
        if ProcessInfo.processInfo.environment["UPDATE_INSTRUCTION_COUNTS"] != nil {
            try write(found, version)
            return
        }
        let (recorded, recordedVersion) = try read()
        let tolerance = version == recordedVersion ? Self.tolerance.same : Self.tolerance.other
        for (kernel, count) in found.sorted(by: { $0.key < $1.key }) {
            guard let before = recorded[kernel] else {
                Issue.record("\(kernel) has no count on record yet: see how above")
                continue
            }
            let change = Double(count) / Double(before) - 1
            #expect(
                change <= tolerance,
                "\(kernel): \(count) instructions, \(before) on record (\(String(format: "%+.1f", 100 * change)) %)")
        }
        for kernel in recorded.keys where found[kernel] == nil {
            Issue.record("\(kernel) is on record, but the probe doesn't run it any more")
        }
    }

    private func count() throws -> [String: Int] {
        let valgrind = try runProgram("/usr/bin/env", ["valgrind", "--version"])
        try #require(valgrind.passed, "valgrind counts the instructions: please install it (apt-get install valgrind)")
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("callgrind-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        let probe = Mpirun.programs.appendingPathComponent("kernel-probe").path
        let run = try runProgram(
            "/usr/bin/env", ["valgrind", "--tool=callgrind", "--callgrind-out-file=\(output.path)", probe])
        try #require(run.passed && run.output.contains("level 3"), "\(run.output)")
        let counts = InstructionCounts(callgrind: try String(contentsOf: output, encoding: .utf8))
        return counts.summed(by: Self.kernel)
    }

    /// The kernel that a function belongs to: one of the AVX2 module.
    private static func kernel(_ function: String) -> String? {
        guard let name = demangled(function) else { return nil }
        guard let module = name.firstRange(of: "KernelsV3.") else { return nil }
        let kernel = name[module.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return kernel == "kernelTable" ? nil : String(kernel)
    }

    private func compiler() throws -> String {
        try runProgram("/usr/bin/env", ["swift", "--version"]).output.firstMatch(of: /Swift version [0-9.]+/)
            .map { String($0.output) } ?? "an unknown compiler"
    }

    private func write(_ counts: [String: Int], _ version: String) throws {
        let lines = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        try Data(("# \(version)\n" + lines.joined()).utf8).write(to: Self.record)
    }

    private func read() throws -> (counts: [String: Int], compiler: String) {
        let lines = try String(contentsOf: Self.record, encoding: .utf8).split(separator: "\n")
        let compiler = lines.first.map { String($0.dropFirst(2)) } ?? ""
        let pairs = try lines.dropFirst().map { line in
            let words = line.split(separator: " ")
            return (String(words[0]), try #require(Int(words[1])))
        }
        return (Dictionary(uniqueKeysWithValues: pairs), compiler)
    }
}

#if arch(x86_64)
    private let isX86 = true
#else
    private let isX86 = false
#endif
