extension Manifest {
    static let format = "gecko.checkpoint"
    static let version = 1

    /// From the members of its JSON; the seal has been looked at.
    package init(_ root: ManifestFields) throws {
        let format = try root.text("format")
        guard format == Self.format else { throw root.fault("format is \"\(format)\", expected \"\(Self.format)\"") }
        let version = try root.natural("version")
        guard version == Self.version else {
            throw root.fault("version is \(version), this gecko reads \(Self.version)")
        }
        let data = try root.object("data")
        let layout = try root.object("layout")
        self.init(
            progress: Progress(
                step: try root.natural("step"), optimizerStep: try root.natural("optimizer_step"),
                skipped: try root.natural("skipped"), skippedInARow: try root.natural("skipped_in_a_row"),
                sequences: try data.natural("sequences")), corpus: try data.text("corpus"),
            seed: try root.object("random").natural("seed"),
            layout: Layout(
                stages: try layout.natural("stages"), replicas: try layout.natural("replicas"),
                schedule: try layout.text("schedule"), layers: try layout.naturals("layers")),
            configuration: try root.text("configuration"), created: try root.natural("created"))
        run = try root.optionalObject("run").map { Run(id: try $0.text("id"), directory: try $0.text("directory")) }
        files = try root.objects("files").map { try File($0) }
        program = try root.optionalText("program")
        library = try root.optionalText("library")
        guard Set(files.map(\.name)).count == files.count else { throw root.fault("it names a file twice") }
        var total = 0
        for file in files {
            let (sum, overflow) = total.addingReportingOverflow(file.size)
            guard !overflow else { throw root.fault("its files' sizes don't fit 64 bits together") }
            total = sum
        }
    }
}

extension Manifest.File {
    fileprivate init(_ file: ManifestFields) throws {
        let name = try file.text("name")
        // A name is followed within the folder: it must not lead out of it.
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix("."), name != Manifest.name else {
            throw file.fault("\"\(name)\" is no name for a checkpoint's file")
        }
        let sha256 = try file.text("sha256")
        let digits = Set("0123456789abcdef")
        guard sha256.count == 64, sha256.allSatisfy(digits.contains) else {
            throw file.fault("the sha256 of \"\(name)\" is not 64 hexadecimal digits")
        }
        self.init(name: name, rank: try file.natural("rank"), size: try file.natural("size"), sha256: sha256)
    }
}
