extension ForeignForm {
    /// Whether a description is of this form.
    package func describes(_ description: ForeignDescription) -> Bool {
        description[mark.name] == mark.expected(architecture.init())
    }

    /// The model that a description describes. What follows from several keys together is still to be checked.
    ///
    /// - Throws: `ForeignFormError` with every field that says something which our models are not
    package func model(_ description: ForeignDescription) throws -> any Architecture {
        var model: any Architecture = architecture.init()
        var problems: [String] = []
        for field in keys {
            do { try set(field, in: &model, description) } catch { problems += error.problems }
        }
        // What is expected elsewhere may follow from these.
        guard problems.isEmpty else { throw ForeignFormError(problems) }
        problems += fixed.compactMap { problem($0, of: model, description) }
        let known = knownFields
        problems += description.fields.filter { closed.contains($0.group) && !known.contains($0.name) }
            .filter { $0.value != .null }
            .map { "\(description.place): \($0.name) is \($0.value.summary); expected nothing of this name" }
        guard problems.isEmpty else { throw ForeignFormError(problems) }
        return model
    }

    /// Fields of a description that nothing here knows: whether they say something about the model, who reads it must
    /// judge.
    package func unknownFields(of description: ForeignDescription) -> [String] {
        let known = knownFields
        var names: [String] = []
        for field in description.fields
        where field.value != .null && !known.contains(field.name) && !silent.contains(field.group) {
            if names.last != field.group { names.append(field.group) }
        }
        return names
    }

    private var knownFields: Set<String> { Set(keys.flatMap(\.names) + fixed.map(\.name) + [mark.name]) }

    private func set(
        _ field: KeyField, in model: inout any Architecture, _ description: ForeignDescription
    ) throws(ForeignFormError) {
        let key = Self.key(field.key, of: model)
        let said = field.names.filter { description[$0] != nil }
        guard let first = said.first else {
            switch field.absent {
            case .refused:
                throw ForeignFormError(["\(description.place): \(field.names[0]) is missing: expected \(key.noun)"])
            case .value(let value): key.set(value, in: &model)
            case .sameAs(let other):
                guard let value = description[other]?.value(as: key.kind) else {
                    // The other field's own problem is told.
                    return
                }
                key.set(value, in: &model)
            }
            return
        }
        let value = description[first] ?? .null
        guard let own = value.value(as: key.kind), key.takes(own) else {
            throw ForeignFormError(["\(description.place): \(first) is \(value.summary); expected \(key.noun)"])
        }
        for other in said.dropFirst() where !(description[other] ?? .null).means(value) {
            throw ForeignFormError([
                "\(description.place): \(other) is \((description[other] ?? .null).summary); expected "
                    + "\(value.summary), which \(first) is"
            ])
        }
        key.set(own, in: &model)
    }

    private func problem(
        _ field: FixedField, of model: any Architecture, _ description: ForeignDescription
    ) -> String? {
        let expected = field.expected(model)
        guard let found = description[field.name] else {
            return field.isRequired
                ? "\(description.place): \(field.name) is missing: expected \(expected.summary)" : nil
        }
        guard !found.means(expected) else { return nil }
        return "\(description.place): \(field.name) is \(found.summary); expected "
            + (expected == .null ? "nothing of this name" : expected.summary)
    }
}

extension ModelKey {
    /// What the key takes, completing "expected ...".
    fileprivate var noun: String {
        let noun =
            switch kind {
            case .integer: "an integer"
            case .number: "a number"
            case .boolean: "true or false"
            case .choice(let names): "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
            }
        return constraint.phrase.isEmpty ? noun : "\(noun) \(constraint.phrase)"
    }

    fileprivate func takes(_ value: Value) -> Bool {
        switch value {
        case .integer(let value): constraint.takes(Double(value))
        case .number(let value): value.isFinite && constraint.takes(value)
        case .boolean, .text: true
        }
    }
}
