"""Invented sessions, written by hand or drawn, and templates as published models have them."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from fake_model import CHATML
from geppetto.prompts.chat import ChatTemplate
from geppetto.studies.sessions.session import Session, Span

QWEN3 = """\
{%- if messages[0].role == 'system' %}
{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- endif %}
{%- set ns = namespace(last_query=0) %}
{%- for message in messages %}
{%- if message.role == 'user' %}{% set ns.last_query = loop.index0 %}{% endif %}
{%- endfor %}
{%- for message in messages %}
{%- if message.role == 'user' %}
{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}
{%- set content = message.content.split('</think>')[-1].lstrip('\n') %}
{%- if loop.index0 > ns.last_query and loop.last %}
{{- '<|im_start|>assistant\n<think>\n\n</think>\n\n' + content }}
{%- else %}
{{- '<|im_start|>assistant\n' + content }}
{%- endif %}
{{- '<|im_end|>\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\n\n</think>\n\n' }}
{%- endif %}
{%- endif %}"""

LLAMA3 = """\
{% set loop_messages = messages %}{% for message in loop_messages %}\
{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' \
+ message['content'] | trim + '<|eot_id|>' %}\
{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}\
{% endfor %}{% if add_generation_prompt %}\
{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""

GEMMA = """\
{{ bos_token }}{% if messages[0]['role'] == 'system' %}\
{{ raise_exception('System role not supported') }}{% endif %}\
{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('Conversation roles must alternate') }}{% endif %}\
{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}\
{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}\
{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""

MISTRAL = """\
{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}\
{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}{{ bos_token }}\
{% for message in turns %}{% if message['role'] == 'user' %}\
{% if loop.first and system is defined %}{{ '[INST]' + system + '\n\n' + message['content'] }}\
{% else %}{{ '[INST]' + message['content'] }}{% endif %}{{ '[/INST]' }}\
{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"""

TEMPLATES = {
    "ChatML": ChatTemplate(source=CHATML),
    "Qwen3": ChatTemplate(source=QWEN3),
    "Llama 3": ChatTemplate(source=LLAMA3, bos="<|begin_of_text|>"),
    "Gemma": ChatTemplate(source=GEMMA, bos="<bos>"),
    "Mistral": ChatTemplate(source=MISTRAL, bos="<s>", eos="</s>"),
}


def marked(instructions: str, *trials: str, options: tuple[str, ...] = ()) -> Session:
    """A session of texts in which responses stand between marks."""
    text = instructions + "".join(trials)
    spans = tuple(
        Span(found.start(1), found.end(1), options) for found in re.finditer("<<(.*?)>>", text)
    )
    begins = [len(instructions)]
    for trial in trials:
        begins.append(begins[-1] + len(trial))
    return Session(text, spans, tuple(begins))


BANDIT = marked(
    "You play with two machines, F and J.\nWin as much as you can.\n\n",
    "Round 1. You press <<F>>. You win 3 points.\n",
    "Round 2. You press <<J>> and lose 1 point. How sure are you? You say <<very>>.\n",
    "Round 3. You press <<F>> <<F>>. You win 0 points.\n",
    "Round 4. You press <<J>>.\n",
    "Round 5. You press <<F>>.\n",
    options=("F", "J", "very"),
)
"""Feedback, two responses in a trial, and two with nothing between them."""

words = st.text("ab c.,)\n:'{|é", max_size=20)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Sessions of any texts, with one to three responses a trial."""
    options = draw(st.sampled_from([(), ("F", "J"), ("left", "right there")]))
    responses = (
        st.sampled_from(options) if options else st.sampled_from(["F", "-5", "a b", "<think"])
    )
    trials = []
    for number in range(draw(st.integers(1, 12) | st.integers(20, 30))):
        steps = [
            f"{draw(words)}<<{draw(responses)}>>"
            for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))
        ]
        trials.append(f"{number}{draw(words)}{''.join(steps)}{draw(words)}\n")
    return marked(draw(words), *trials, options=options)
