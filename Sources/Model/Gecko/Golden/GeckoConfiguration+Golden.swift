import Numerics

extension GeckoConfiguration {
    /// Operations (`op_NAME`), layers (`layer`), models (`model_X_params` with `model_X_plain`, `_packed`, `_decode`,
    /// `_adamw`). Names, shapes and hyperparameters come from the files.
    package static func goldenCases(
        of file: any GoldenSource, companion: @escaping (_ name: String) throws -> any GoldenSource,
        matrices: any MatrixProducts
    ) throws -> [GoldenCase] {
        let stem = String(file.name.dropLast(".safetensors".count))
        if stem.hasPrefix("op_") {
            let operations = Operations(file: file, matrices: matrices)
            return file.cases.map { name in
                GoldenCase(name: name) { try operations.run(String(stem.dropFirst(3)), case: name, &$0) }
            }
        }
        if stem == "layer" || stem.hasPrefix("layer_") {
            let layers = Layers(file: file, matrices: matrices)
            return file.cases.map { name in GoldenCase(name: name) { try layers.run(name, &$0) } }
        }
        let parts = stem.split(separator: "_")
        guard parts.count >= 3, parts[0] == "model" else {
            throw VerificationError(
                "\(file.name): unknown kind of golden file; names are op_NAME, layer, model_X_params, _plain, _packed, "
                    + "_decode, _adamw"
            )
        }
        let kind = parts[parts.count - 1]
        if kind == "params" { return [] }
        let parameters = parts.dropLast().joined(separator: "_") + "_params.safetensors"
        let models = Models(file: file, parameters: try companion(parameters), matrices: matrices)
        switch kind {
        case "plain", "packed":
            do {
                return try models.cuts().map { cut in GoldenCase(name: cut.name) { try models.sequence(cut, &$0) } }
            } catch {
                return [GoldenCase(name: "cuts") { _ in throw error }]
            }
        case "decode":
            return [GoldenCase(name: "greedy") { try models.decode(&$0) }]
                + (file.has("in.forced") ? [GoldenCase(name: "forced") { try models.forced(&$0) }] : [])
        case "adamw": return [GoldenCase(name: "trajectory") { try models.adamW(&$0) }]
        default: throw VerificationError("\(file.name): unknown kind '\(kind)' of a model's golden file")
        }
    }
}
