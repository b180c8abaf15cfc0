"""An import contract for import-linter: packages import of another its public modules alone."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """package: the one that is entered; importers: who enters it; doors: its public modules, by their full names."""

    type_name = "doors"

    package = fields.StringField()
    importers = fields.ListField(subfield=fields.StringField())
    doors = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports that go through no door, and the doors that do not exist."""
        inside = {self.package, *graph.find_descendants(self.package)}
        wrong = [
            f"{importer} imports {imported}, which is no public module of {self.package}"
            for root in self.importers
            for importer in sorted({root, *graph.find_descendants(root)})
            for imported in sorted(graph.find_modules_directly_imported_by(importer) & inside)
            if imported not in self.doors
        ]
        wrong += [f"there is no module {door}" for door in self.doors if door not in inside]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what was found."""
        for line in check.metadata["wrong"]:
            output.print_error(line)
