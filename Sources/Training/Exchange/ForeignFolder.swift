import Checkpoints
import Files
import JSON
import Model

/// A model in a folder as another program keeps it: its description in `config.json`, its tensors in safetensors files
/// beside it. Which form it is the description says.
package struct ForeignFolder: ModelToImport {
    package static let descriptionName = "config.json"

    package let path: String
    package let form: ForeignForm
    package let description: ForeignDescription
    /// As described; what follows from several keys together is still to be checked.
    package let model: any Architecture
    private let tensors: SafetensorsFolder
    private let architectures: Architectures

    /// - Throws: for a description of no form that an architecture has, or of a model that ours are not
    package init(_ path: String, architectures: Architectures = .known) throws {
        let place = "\(path)/\(Self.descriptionName)"
        guard Folder.size(ofFile: place) != nil else {
            throw ModelFileError(
                "\(path) is a folder without a \(Self.descriptionName), which says what model it holds: give a folder "
                    + "that has one, or a safetensors file")
        }
        let bytes = try SmallFile.read(place)
        let description: ForeignDescription
        do { description = try ForeignDescription(try JSONParser.parse(bytes), place: place) } catch let error
            as JSONError
        {
            let (line, column) = JSONParser.place(of: error.offset, in: bytes)
            throw ModelFileError("\(place):\(line):\(column): \(error.reason)")
        }
        let forms = architectures.all.flatMap { $0.foreignForms }
        guard let form = forms.first(where: { $0.describes(description) }) else {
            let marks = forms.map { $0.markText }.joined(separator: " or ")
            let names = Set(forms.map(\.mark.name)).sorted()
            let found = names.map { "\($0) is \(description[$0]?.summary ?? "missing")" }.joined(separator: ", ")
            throw ModelFileError("\(place): \(found); expected \(marks)")
        }
        self.path = path
        self.form = form
        self.description = description
        self.architectures = architectures
        model = try form.model(description)
        tensors = try SafetensorsFolder(path)
    }

    package var describesItself: Bool { true }

    /// The keys that the description speaks of come from it; the file and the command line may say the same, or leave
    /// them at their defaults.
    package func configuration(
        file: String?, overrides: [String], tell: (String) throws -> Void
    ) throws -> RunConfiguration {
        var base = RunConfiguration(architectures: architectures)
        base.choose(form.architecture)
        base.model = model
        var configuration = try RunConfiguration.load(base: base, file: file, overrides: overrides)
        guard type(of: configuration.model).name == form.architecture.name else {
            throw ConfigurationError(
                "\(configuration.quote(ConfigurationKey.architectureName)), but \(description.place) describes a "
                    + "\(form.architecture.name): leave it out, or set it to \"\(form.architecture.name)\"")
        }
        let defaults = configuration.defaults
        var problems: [String] = []
        var taken: [String] = []
        for name in form.keyNames {
            guard let key = configuration.keys["model.\(name)"] else { preconditionFailure("\(name) is a key") }
            let (said, described) = (key.value(in: configuration), key.value(in: base))
            if said != described, said != key.value(in: defaults) {
                problems.append(
                    "\(configuration.quote(key.qualifiedName)), but \(description.place) says "
                        + "\(form.field(for: name) ?? name) = \(described.toml): leave it out, or set it to the same")
            }
            if configuration.origins[key.qualifiedName] == nil || said != described {
                taken.append("\(name) = \(described.toml)")
            }
            if let problem = key.set(described, in: &configuration) { problems.append(problem) }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        if !taken.isEmpty { try tell("[model] from \(description.place): \(taken.joined(separator: ", "))") }
        let unknown = form.unknownFields(of: description)
        if !unknown.isEmpty {
            try tell(
                "note: \(description.place) also says \(unknown.joined(separator: ", ")), which gecko doesn't know and "
                    + "leaves aside: make sure that it doesn't change what the model computes")
        }
        return configuration
    }

    package func check(_ specs: [ParameterSpec], of model: any Architecture) throws {
        let expected = form.tensors(of: model)
        let missing = expected.filter { !tensors.contains($0.name) }
        guard missing.isEmpty else {
            throw ModelFileError(
                "\(path) lacks \(missing.count) of the \(expected.count) tensors that its \(Self.descriptionName) asks "
                    + "for, such as '\(missing[0].name)'")
        }
        for tensor in expected {
            try requireFloats(tensor.name, shape: tensor.spec.shape)
            let file = try tensors.file(with: tensor.name).path
            try floats(tensor.name).withUnsafeBytes { try Finite.check($0, of: tensor.name, in: file) }
        }
        let known = Dictionary(uniqueKeysWithValues: expected.map { ($0.spec.name, $0) })
        guard Set(known.keys) == Set(specs.map(\.name)) else {
            preconditionFailure("the form \(form.name) has other tensors than a \(form.architecture.name)")
        }
        let names = Set(expected.map(\.name))
        for name in tensors.names where !names.contains(name) && !form.isNeedless(name) {
            guard let original = form.original(of: name, in: model).flatMap({ known[$0] }) else {
                throw ModelFileError(
                    "\(try tensors.file(with: name).path) has a tensor '\(name)', which the model that "
                        + "\(Self.descriptionName) describes hasn't")
            }
            try requireFloats(name, shape: original.spec.shape)
            guard try floats(name) == floats(original.name) else {
                throw ModelFileError(
                    "\(path): '\(name)' isn't the same as '\(original.name)', but \(Self.descriptionName) ties them")
            }
        }
    }

    package func visit(
        _ specs: [ParameterSpec], of model: any Architecture,
        _ body: (ParameterSpec, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let tensors = Dictionary(uniqueKeysWithValues: form.tensors(of: model).map { ($0.spec.name, $0) })
        for spec in specs {
            guard let tensor = tensors[spec.name] else { preconditionFailure("\(spec.name) was checked") }
            try tensor.own(floats(tensor.name)).withUnsafeBytes { try body(spec, $0) }
        }
    }

    private func floats(_ name: String) throws -> [Float] { try tensors.file(with: name).widened(name) }

    private func requireFloats(_ name: String, shape: [Int]) throws {
        let entry = try tensors.entry(name)
        guard SafetensorsFile.floatTypes.contains(entry.type), entry.shape == shape else {
            throw ModelFileError(
                "\(try tensors.file(with: name).path): tensor '\(name)' is \(entry.type.rawValue) \(entry.shape); "
                    + "\(Self.descriptionName) asks for \(shape), in "
                    + SafetensorsFile.floatTypes.map(\.rawValue).joined(separator: ", "))
        }
    }
}

extension ForeignForm {
    /// What a description says that is of this form: `model_type "llama"`.
    fileprivate var markText: String { "\(mark.name) \(mark.value(for: architecture.init()).summary)" }
}
