import Checkpoints
import Model
import Testing
import Verification

/// One case of an operation or layer, alone in a file.
struct GoldenCase: Sendable, CustomTestStringConvertible {
    let file, name: String
    var testDescription: String { "\(file) \(name)" }

    static let all = [
        ("op_timestep_decay_norm", "packed"), ("op_complex_ema", "carried"), ("op_norms", "rms_groups"),
        ("op_norms", "layer"), ("op_rotary", "partial"), ("op_sliding_chunk_attention", "packed_carried"),
        ("op_adaptive_working_memory", "packed_ragged"), ("op_nffn", "rescale"), ("op_nffn", "two_hop"),
        ("op_cross_entropy", "ignore"), ("layer", "ragged"),
    ].map { GoldenCase(file: $0, name: $1) }

    /// Its expected tensors that hold anything.
    var expected: [TensorEntry] {
        get throws {
            let file = try GoldenFolder.fixture(file)
            return try file.names.filter { $0.hasPrefix("\(name).out.") || $0.hasPrefix("\(name).grad.") }
                .map { try file.entry($0) }.filter { $0.count > 0 }
        }
    }

    /// Verifies the case, one tensor of it changed.
    func verify(_ tensor: String = "", _ change: GoldenFolder.Change = .keep) throws -> [CaseReport] {
        let folder = try GoldenFolder()
        try folder.copy(file) { $0 == tensor ? change : $0.hasPrefix("\(name).") ? .keep : .leaveOut }
        return try folder.verify()
    }
}

@Suite struct OperationFileTests {
    @Test(arguments: GoldenCase.all) func anUnchangedCasePasses(_ c: GoldenCase) throws {
        let reports = try c.verify()
        #expect(reports.count == 1 && reports[0].passed && reports[0].name == c.name)
        let expected = try c.expected.count
        #expect(reports[0].tensors >= expected)
    }

    @Test(arguments: GoldenCase.all) func oneChangedValueOfAnyExpectedTensorFailsByName(_ c: GoldenCase) throws {
        for entry in try c.expected {
            let report = try #require(try c.verify(entry.name, .perturb(by: 1e-3)).first)
            let short = entry.name.dropFirst(c.name.count + 1)
            #expect(!report.passed, "\(entry.name)")
            #expect(report.tensor == short || report.failure?.contains(short) == true, "\(entry.name)")
        }
    }

    @Test(arguments: GoldenCase.all) func anyMissingExpectedTensorFailsByName(_ c: GoldenCase) throws {
        for entry in try c.expected {
            let report = try #require(try c.verify(entry.name, .leaveOut).first)
            // The gradient of an empty state may be absent.
            let isOptional =
                entry.name.contains(".grad.state.")
                || ["mean", "var", "h", "memory", "lognorm"].contains { entry.name.hasSuffix(".grad.\($0)") }
            if isOptional { continue }
            #expect(!report.passed, "\(entry.name)")
            #expect(report.failure?.contains(entry.name) == true, "\(entry.name): \(report.failure ?? "")")
        }
    }

    @Test(arguments: GoldenCase.all) func anyMissingInputFailsOrChangesTheResult(_ c: GoldenCase) throws {
        let names = try GoldenFolder.fixture(c.file).names.filter {
            $0.hasPrefix("\(c.name).in.") || $0.hasPrefix("\(c.name).up.")
        }
        for name in names {
            if try GoldenFolder.fixture(c.file).entry(name).count == 0 { continue }
            let passed = try c.verify(name, .leaveOut).first?.passed
            #expect(passed == false, "\(name)")
        }
    }

    @Test(arguments: GoldenCase.all) func aTensorThatNothingComputesFailsByName(_ c: GoldenCase) throws {
        // An output of another case under this one's name.
        let folder = try GoldenFolder()
        let source = try GoldenFolder.fixture(c.file)
        let first = try #require(try c.expected.first)
        let kept = try source.names.filter { $0.hasPrefix("\(c.name).") }.map { try source.entry($0) }
        let writer = try SafetensorsWriter(
            "\(folder.path)/\(c.file).safetensors",
            kept.map { .init($0.name, $0.type, $0.shape) } + [.init("\(c.name).out.surprise", first.type, first.shape)],
            metadata: source.metadata)
        for entry in kept { try source.withBytes(entry.name) { try writer.write(entry.name, $0) } }
        try source.withBytes(first.name) { try writer.write("\(c.name).out.surprise", $0) }
        try writer.finish()
        let report = try #require(try folder.verify().first)
        #expect(report.failure?.contains("out.surprise") == true)
    }

    /// A tensor of another size must not be read past its end.
    @Test(arguments: GoldenCase.all) func anyInputOfAnotherSizeFails(_ c: GoldenCase) throws {
        let names = try GoldenFolder.fixture(c.file).names.filter {
            $0.hasPrefix("\(c.name).in.") || $0.hasPrefix("\(c.name).up.")
        }
        for name in names {
            if try GoldenFolder.fixture(c.file).entry(name).count == 0 { continue }
            let report = try #require(try c.verify(name, .shorten).first)
            #expect(!report.passed, "\(name)")
            #expect(report.failure != nil, "\(name)")
        }
    }
}
