"""What the REST interface shows of the log."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.models import Checkpoint, LedgerEntry


class HexField(serializers.Field[Any, Any, str, Any]):
    """Bytes as lower-case hexadecimal text."""

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


extend_schema_field({"type": "string", "pattern": "^[0-9a-f]*$"})(HexField)


class LedgerEntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    """`body` is the exact text whose UTF-8 bytes were hashed."""

    body = serializers.SerializerMethodField()
    details = serializers.DictField(source="data", read_only=True)
    leaf_hash = HexField(read_only=True)
    previous_hash = HexField(read_only=True)
    entry_hash = HexField(read_only=True)

    class Meta:
        model = LedgerEntry
        fields = [
            "seq",
            "recorded_at",
            "event",
            "title",
            "subject",
            "actor",
            "actor_name",
            "method",
            "details",
            "body",
            "leaf_hash",
            "previous_hash",
            "entry_hash",
        ]
        read_only_fields = fields

    def get_body(self, entry: LedgerEntry) -> str:
        return bytes(entry.body).decode(errors="replace")


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    root_hash = HexField(source="root", read_only=True)

    class Meta:
        model = Checkpoint
        fields = ["size", "root_hash", "note", "made_at"]
        read_only_fields = fields


class ReportSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    entries = serializers.IntegerField()
    checkpoints = serializers.IntegerField()
    anchored = serializers.IntegerField()
    signed_size = serializers.IntegerField()
    unsigned_tail = serializers.IntegerField()
    first_bad_seq = serializers.IntegerField(allow_null=True)
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
