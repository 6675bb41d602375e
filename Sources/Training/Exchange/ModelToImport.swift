import Checkpoints
import Files
import Model

/// Parameters that another program, or another run, has left: where an import takes them from.
package protocol ModelToImport {
    /// As it was named.
    var path: String { get }

    /// The run's configuration from its file and the command line, with what this model says itself; not yet resolved.
    ///
    /// - Parameter tell: hears what was taken from the model's own description
    func configuration(file: String?, overrides: [String], tell: (String) throws -> Void) throws -> RunConfiguration

    /// Whether `configuration` says more than the file and the command line, so that it must be kept.
    var describesItself: Bool { get }

    /// - Throws: unless all these tensors are there, finite, and no others
    func check(_ specs: [ParameterSpec], of model: any Architecture) throws

    /// Gives the numbers of all these tensors in their order, float32 in our layout.
    func visit(
        _ specs: [ParameterSpec], of model: any Architecture,
        _ body: (ParameterSpec, UnsafeRawBufferPointer) throws -> Void) throws
}

/// A plain safetensors file with our names, or in the form of the architecture's published code.
struct PlainModel: ModelToImport {
    private let file: SafetensorsFile
    var path: String { file.path }
    var describesItself: Bool { false }

    init(_ path: String) throws { file = try SafetensorsFile(path) }

    func configuration(file: String?, overrides: [String], tell: (String) throws -> Void) throws -> RunConfiguration {
        try RunConfiguration.load(file: file, overrides: overrides)
    }

    func check(_ specs: [ParameterSpec], of model: any Architecture) throws {
        if let official = try OfficialFile(file, of: model) { return try official.check(specs, of: model) }
        let missing = specs.filter { !file.contains($0.name) }.map(\.name)
        guard missing.isEmpty else {
            throw ModelFileError(
                "\(path) lacks \(missing.count) of this model's \(specs.count) tensors, such as '\(missing[0])': "
                    + "is the [model] section that of the file?")
        }
        for spec in specs { try file.requireFloats(spec.name, shape: spec.shape) }
        let known = Set(specs.map(\.name))
        let others = file.names.filter { !known.contains($0) }
        guard others.isEmpty else {
            throw ModelFileError(
                "\(path) has \(others.count) tensors that this model hasn't, such as '\(others[0])': is the "
                    + "[model] section that of the file?")
        }
        try file.checkFinite()
    }

    func visit(
        _ specs: [ParameterSpec], of model: any Architecture,
        _ body: (ParameterSpec, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if let official = try OfficialFile(file, of: model) { return try official.visit(specs, body) }
        for spec in specs { try file.withBytes(spec.name) { try body(spec, $0) } }
    }
}
